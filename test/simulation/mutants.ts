/** Schedulers that are wrong in one way each, built around the real one. */

import { comparePlaces } from '../../scheduler/order.ts';
import type { Lab } from '../../scheduler/plan.ts';
import type { Board, Plan, QueuedJob } from '../../scheduler/types.ts';
import { THE_SCHEDULER } from '../../simulation/check-lab.ts';
import { fillingOf, fits } from '../../simulation/filling.ts';
import type { Scheduler } from '../../simulation/properties.ts';

const { admit, plan } = THE_SCHEDULER;

const withPlan = (broken: (lab: Lab, now: number) => Plan): Scheduler => ({ admit, plan: broken });
const isFree = ({ state, open }: Board): boolean => state === 'idle' && open === 'jobs';

/** The right plan of a lab in which one thing is seen wrongly. */
const seeing = (wrongly: (lab: Lab, now: number) => Lab) =>
  withPlan((lab, now) => plan(wrongly(lab, now), now));

/** Job by job as far as boards go, in an order of its own; nothing is reserved. */
const eachInTurn = (order: (queue: readonly QueuedJob[]) => QueuedJob[]) =>
  withPlan(({ queue, boards }) => {
    let left = boards.filter(isFree);
    const starts = order(queue).flatMap(({ id, roles }) => {
      const members = fillingOf(roles, left);
      if (members === undefined) return [];
      left = left.filter(({ name }) => !members.some(({ device }) => device === name));
      return { job: id, members };
    });
    return { starts, reservation: null };
  });

/** By the property that has to catch it. */
export const MUTANTS: Record<string, Scheduler> = {
  admission: {
    plan,
    admit: (roles, boards) =>
      roles
        .filter((request) => boards.filter((b) => fits(b, request)).length < request.count)
        .map(({ role, count }) => ({ role, wanted: count, found: 0, lacking: '' })),
  },
  'all or nothing': withPlan((lab, now) => {
    const { starts, reservation } = plan(lab, now);
    return {
      starts: starts.map(({ job, members }) => ({ job, members: members.slice(0, 2) })),
      reservation,
    };
  }),
  'no board twice': seeing((lab) => ({
    ...lab,
    boards: lab.boards.map(({ heldBy: _, ...board }) => ({ ...board, state: 'idle' })),
  })),
  'order of inputs': eachInTurn((queue) => [...queue].sort((a, b) => b.priority - a.priority)),
  priority: eachInTurn((queue) => [...queue].sort((a, b) => comparePlaces(b, a))),
  maximality: withPlan((lab, now) => {
    const { starts, reservation } = plan(lab, now);
    return { starts: starts.slice(0, 1), reservation };
  }),
  'guaranteed start': withPlan((lab, now) => {
    const { reservation } = plan(lab, now);
    const { starts } = eachInTurn((queue) => [...queue].sort(comparePlaces)).plan(lab, now);
    return { starts, reservation };
  }),
  'nobody starves': eachInTurn((queue) =>
    [...queue].sort((a, b) => a.roles.length - b.roles.length || comparePlaces(a, b)),
  ),
};
