package srtp
import ("testing";"crypto/aes";"crypto/cipher";"crypto/hmac";"crypto/sha1";"crypto/subtle";"encoding/binary")
func BenchmarkMicro(b *testing.B){
 blk,_:=aes.NewCipher(make([]byte,16))
 buf:=make([]byte,1104); ks:=make([]byte,1104)
 b.Run("ecb69",func(b *testing.B){ b.ReportAllocs(); for b.Loop(){ for i:=0;i<1104;i+=16 { blk.Encrypt(ks[i:i+16],ks[i:i+16]) } } })
 b.Run("ecb69+ctr",func(b *testing.B){ b.ReportAllocs(); for b.Loop(){ for i:=0;i<1104;i+=16 { binary.BigEndian.PutUint64(ks[i:],5);binary.BigEndian.PutUint64(ks[i+8:],uint64(i)); blk.Encrypt(ks[i:i+16],ks[i:i+16]) } } })
 b.Run("ecb69+ctr-separate",func(b *testing.B){ b.ReportAllocs(); ctr:=make([]byte,1104); for b.Loop(){ for i:=0;i<1104;i+=16 { binary.BigEndian.PutUint64(ctr[i:],5);binary.BigEndian.PutUint64(ctr[i+8:],uint64(i))}; for i:=0;i<1104;i+=16 {blk.Encrypt(ks[i:i+16],ctr[i:i+16]) } } })
 b.Run("xor",func(b *testing.B){ for b.Loop(){ subtle.XORBytes(buf,buf,ks) } })
 iv:=make([]byte,16)
 b.Run("newctr",func(b *testing.B){ b.ReportAllocs(); for b.Loop(){ cipher.NewCTR(blk,iv).XORKeyStream(buf,buf) } })
 m:=hmac.New(sha1.New,make([]byte,20)); sum:=make([]byte,0,20)
 b.Run("hmac",func(b *testing.B){ b.ReportAllocs(); for b.Loop(){ m.Reset(); m.Write(buf); m.Sum(sum) } })
 h:=sha1.New()
 b.Run("sha1",func(b *testing.B){ b.ReportAllocs(); for b.Loop(){ h.Reset(); h.Write(buf); h.Sum(sum) } })
}
