import {useEffect} from 'preact/hooks';
import {useVisit} from '../visit/visit';
import type {Conferring} from './conference';
import {Panel} from './panel';
import {words} from './words/words';

/** Who is here. What one can do about it comes with the code for conferences. */
export function PeoplePanel({conferring}: {conferring: Conferring | null}) {
  const visit = useVisit();
  useEffect(() => {
    visit.conferring.value = true;
  }, [visit]);
  return (
    <Panel name="people" title={words().people.title}>
      {conferring && <conferring.People assembly={conferring.assembly} />}
    </Panel>
  );
}
