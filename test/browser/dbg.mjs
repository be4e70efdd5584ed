import {launchChromium} from './chromium.mjs';
import {offerFiles, transfers, countTransfers} from './exchange.mjs';
import {Parcel} from './parcel.mjs';
import {Person} from './person.mjs';
import {Server} from './server.mjs';
const [server, chromium] = await Promise.all([Server.start(), launchChromium()]);
const parcel = new Parcel();
const prep = async (page) => {
  await page.evaluateOnNewDocument(() => {
    const N = window.RTCPeerConnection; let k=0;
    window.RTCPeerConnection = class extends N {
      constructor(c){ super(c); const id=++k; const L=(...a)=>console.log('pc'+id, performance.now()|0, ...a);
        this.addEventListener('datachannel',({channel})=>{L('in', channel.label, channel.protocol, channel.readyState); channel.addEventListener('close',()=>L('in close',channel.label)); channel.addEventListener('message',({data})=>typeof data==='string'&&L('in msg',data.slice(0,100)))});
        this.addEventListener('connectionstatechange',()=>L(this.connectionState)); }
      createDataChannel(l,o){ const ch=super.createDataChannel(l,o); if(o?.protocol){console.log('pc out',performance.now()|0,l,o.protocol,ch.readyState); for(const e of ['open','close','error'])ch.addEventListener(e,()=>console.log('pc out',performance.now()|0,e,l)); ch.addEventListener('message',({data})=>typeof data==='string'&&console.log('out msg',data.slice(0,100)));} return ch; }
      close(){ console.log('pc close'); super.close(); }
    };
  });
};
try {
  const ann = await Person.arrive(chromium, server.room('dbg'), {name: 'Ann', prepare: prep});
  ann.page.on('console', m => console.log('ANN', m.text()));
  await ann.join();
  const bob = await Person.arrive(chromium, server.room('dbg'), {name: 'Bob', prepare: prep});
  bob.page.on('console', m => console.log('BOB', m.text()));
  await bob.join();
  await Promise.all([ann.receives('microphone'), bob.receives('microphone')]);
  await Promise.all([ann.open('Chat'), bob.open('Chat')]);
  await offerFiles(ann, [parcel.write('x.bin', 5000000)]);
  await bob.reads(/wants to send/);
  await bob.press('Accept');
  for (let i=0;i<10;i++){ await new Promise(r=>setTimeout(r,1000)); console.log(JSON.stringify([await transfers(ann), await transfers(bob)])); }
} finally { await chromium.close(); await server.stop(); parcel.drop(); }
