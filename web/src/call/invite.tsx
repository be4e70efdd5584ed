import {Table} from '../parts/mark';
import {useVisit} from '../visit/visit';
import {Sealed} from './encryption';
import {CopyButton, guestLink, ShareButton} from './link';
import {QR} from './qr';
import {words} from './words/words';

/** Alone in the room: the stage is the invitation. */
export function Invite() {
  const visit = useVisit();
  const w = words().alone;
  void visit.info.value; // the key comes with a change of the room
  const {key} = visit.room;
  const link = guestLink(visit.room.name, key);
  const left = visit.lastLeft.value;
  return (
    <section class="invite">
      <Table you={true} them={false} />
      <div class="invite-table">
        <h2>{left ? w.titleLeft(left) : w.title}</h2>
        <p>{w.line}</p>
        <p class="link">
          <span class="hidden">{w.link}: </span>
          {link.replace(/^https?:\/\//, '')}
        </p>
        {key !== '' && <Sealed />}
        <div class="row">
          <CopyButton text={link} label={w.copy} primary />
          <ShareButton url={link} text={w.shareText(visit.room.name)} />
        </div>
        <figure>
          <QR text={link} label={w.qr} />
          <figcaption>{w.qrLine}</figcaption>
        </figure>
      </div>
    </section>
  );
}
