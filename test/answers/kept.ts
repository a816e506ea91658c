/** The evidence of a job that lies in a real log, a SQLite file, and of consoles that lie in real files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evidence } from '../../answers/evidence.ts';
import { evidenceOf } from '../../api/evidence.ts';
import { History } from '../../api/history/history.ts';
import { LabPast } from '../../api/lab-past.ts';
import type { ApiEngine } from '../../api/parts.ts';
import { PastRuns } from '../../api/past-runs.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { jobStream } from '../../machines/names.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite.ts';
import { openDatabase } from '../../store/sqlite-api.ts';

const folders: string[] = [];

/** Goes with `afterAll(removeFolders)`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-evidence-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A log takes no ids but UUIDs: those of the bench are `e1` and the like. */
const storable = (id: string): string =>
  id.replace(/^e(\d+)$/, (_, n: string) => `00000000-0000-4000-8000-${n.padStart(12, '0')}`);

/**
 * Writes the events of job 1 into a log, damages it, and reads the job back as a server does.
 *
 * @param damage SQL
 */
export async function keptEvidence(
  events: readonly RecordedEvent<JobEvent>[],
  { damage = '', folder = newFolder() }: { damage?: string; folder?: string } = {},
): Promise<Evidence> {
  const file = join(folder, 'muster.db');
  const written = await openSqliteStore({ file });
  const bare = events.map(({ stream: _, version: __, position: ___, ...event }) => {
    const causationId = storable(event.meta.causationId);
    return { ...event, id: storable(event.id), meta: { ...event.meta, causationId } };
  });
  await written.append(jobStream(1), 0, bare);
  await written.close();
  const db = openDatabase(file);
  db.exec(damage);
  db.close();
  const store = await openSqliteStore({ file });
  const engine = {
    directory: { jobs: new Map(), uncounted: new Set() },
    jobCount: 1,
    job: async () => undefined,
    jobEvents: (id: number, after = 0) => store.read(jobStream(id), after),
    allEvents: (after = 0, limit?: number) => store.readAll(after, limit),
  } as unknown as ApiEngine;
  const history = new History(engine);
  const parts = {
    engine,
    history,
    past: new PastRuns({ engine, history }),
    labPast: new LabPast(),
    attachments: { get: async () => undefined },
    consoleFile: (_: number, device: string) => join(folder, device),
  };
  // All of the log is read by then; consoles are files.
  return evidenceOf(parts, 1, new AbortController().signal).finally(() => store.close());
}
