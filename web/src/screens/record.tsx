import {useEffect, useState} from 'preact/hooks';
import {language} from '../words/words';
import {Stale} from './inner';

type Loaded = typeof import('../record');

/** The record of a call, whose code only its readers fetch. */
export function RecordPage({id}: {id: string}) {
  const [page, setPage] = useState<Loaded | 'lost' | null>(null);
  useEffect(() => {
    const german = language().startsWith('de') ? import('../record/words/de') : null;
    Promise.all([import('../record'), german]).then(
      ([all, de]) => {
        if (de) all.speak(de.de);
        setPage(all);
      },
      () => setPage('lost'),
    );
  }, []);
  if (page === 'lost') return <Stale />;
  return page && <page.Record id={id} />;
}
