import {Table} from '../parts/mark';
import {useVisit} from '../visit/visit';
import {CopyButton, guestLink, ShareButton} from './link';
import {QR} from './qr';
import {words} from './words/words';

/** Alone in the room: the stage is the invitation. */
export function Invite() {
  const visit = useVisit();
  const w = words().alone;
  const link = guestLink(visit.room.name);
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
