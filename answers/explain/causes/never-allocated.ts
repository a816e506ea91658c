import { ago } from '../facts.ts';
import type { Cause } from '../situation.ts';
import { found } from '../words.ts';

export const neverAllocated: Cause = {
  kind: 'never-allocated',
  title: 'The job never had its boards',
  page: `Nothing of the job ran: the boards that there are can never run it, or they were not free before its queue timeout, or it
still waits for them. \`muster why\` says which board, held by whom, keeps it.`,
  example:
    '"device_group": [{ "role": "server", "count": 3, "device_type": "panda" }]   # the lab has two',
  find({ group }) {
    const { end, submitted, allocated, last } = group;
    if (submitted === undefined || allocated !== undefined) return [];
    const wasRejected = end?.how === 'rejected';
    const ranOut = end?.how === 'timedOut' && end.limit === 'queue';
    if (end !== undefined && !wasRejected && !ranOut) return [];
    const [clause = ''] = (end?.reason ?? '').split('\n');
    const waited = ago((end ?? last).at - submitted.at);
    return [
      found({
        kind: 'never-allocated',
        culprit: null,
        missing: [],
        first: { member: undefined, version: (end ?? submitted).version },
        steps: [
          { text: 'the job is submitted', event: submitted.version },
          ...(end === undefined ? [] : [{ text: `it ends: ${clause}`, event: end.version }]),
        ],
        summary: wasRejected
          ? `no boards of this lab can run it: ${clause}`
          : end === undefined
            ? 'it still waits for its boards'
            : `it did not get its boards in ${waited}: ${clause}`,
        advice: ['see what keeps each board from it: muster why JOB'],
      }),
    ];
  },
};
