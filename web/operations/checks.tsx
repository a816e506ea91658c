/** The boards whose health is checked by a job: those whose check is due come first, then those that are being checked. */
import { useComputed } from '@preact/signals';
import type { DeviceView } from '../api/types.ts';
import { boards } from '../lab/lab-state.ts';
import { At, Badge, boardLink, jobLink, plural, Section } from '../ui/parts.tsx';

const LISTED_MAX = 200;

type Check = NonNullable<DeviceView['healthCheck']>;
type Checked = DeviceView & { healthCheck: Check };

const isChecked = (board: DeviceView): board is Checked => board.healthCheck !== undefined;
const isDue = ({ healthCheck }: Checked): boolean => healthCheck.due !== undefined;

/** Those that somebody may have to do something about stand above the others; else by name. */
const rank = ({ healthCheck: { due, job } }: Checked): number =>
  due !== undefined ? 0 : job !== undefined ? 1 : 2;

export function Checks() {
  const checked = useComputed(() =>
    boards.value.filter(isChecked).sort((a, b) => rank(a) - rank(b)),
  );
  const all = checked.value;
  const due = all.filter(isDue).length;
  return (
    <Section
      title="Health checks"
      count={all.length === 0 ? '0' : `${plural(all.length, 'board')}, ${due} due`}
    >
      {all.length === 0 ? (
        <p class="empty">
          No board's health is checked by a job. A device type says how: <code>health_check</code>{' '}
          in the lab's file.
        </p>
      ) : (
        <div class="scrolled" role="region" aria-label="Health checks" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>Board</th>
                <th>Health</th>
                <th>Check</th>
                <th>Last</th>
                <th>Jobs since</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, LISTED_MAX).map((board) => (
                <Row key={board.name} board={board} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {all.length > LISTED_MAX && (
        <p class="soft more">and {plural(all.length - LISTED_MAX, 'board')} more</p>
      )}
    </Section>
  );
}

function Row({ board }: { board: Checked }) {
  const { name, health, healthCheck, offlineReason } = board;
  return (
    <tr>
      <td>
        <a href={boardLink(name)}>{name}</a>
      </td>
      <td>{health}</td>
      <td class="wide">
        <When check={healthCheck} />
        {healthCheck.due !== undefined && offlineReason !== undefined && (
          <span class="soft"> · offline: {offlineReason}</span>
        )}
      </td>
      <td>{healthCheck.lastAt && <At at={healthCheck.lastAt} />}</td>
      <td>{healthCheck.jobsSince}</td>
    </tr>
  );
}

/** When a board is checked next, as far as that can be known. */
function When({ check: { due, job, nextAt, everyJobs, jobsSince } }: { check: Check }) {
  if (due !== undefined)
    return (
      <>
        <Badge tone="warn">due</Badge> {due}
      </>
    );
  if (job !== undefined)
    return (
      <>
        <a href={jobLink(job)}>job {job}</a> checks it
      </>
    );
  const left = everyJobs === undefined ? undefined : Math.max(0, everyJobs - jobsSince);
  return (
    <>
      {nextAt !== undefined && <At at={nextAt} />}
      {nextAt !== undefined && left !== undefined && ', or '}
      {left !== undefined && `after ${plural(left, 'more job')}`}
    </>
  );
}
