import { type Cause, culpritMember, gapsOf } from '../situation.ts';
import { found, waitSteps, who } from '../words.ts';

export const deployFailed: Cause = {
  kind: 'deploy-failed',
  title: 'What was to run could not be put on the board',
  page: `An image could not be fetched or unpacked, or a test definition could not be fetched or read, so its member failed
before any of it ran. The reason says which address and why.

It is told by an action that failed before its first suite began. Try the address from the worker's machine; the lab's file
says which folders files may come from.`,
  example: `"command": "deploy_linaro_image", "parameters": { "image": "http://images/panda-old.tar.gz" }   # 404`,
  find: (situation) =>
    situation.group.members.flatMap((member) => {
      const { end } = member;
      const run = member.actions.at(-1);
      if (run?.end === undefined || run.end.outcome === 'ok' || end === undefined) return [];
      const isDeploy = run.command === 'deploy_linaro_image';
      const hasRun = member.suites.some(({ version }) => version > run.version);
      const reason = run.end.reason ?? '';
      const cannotFetch =
        !hasRun &&
        run.end.outcome === 'failed' &&
        /definition|git|fetch|testdef|repos/.test(reason);
      if (!isDeploy && !cannotFetch) return [];
      const gaps = gapsOf(situation, member);
      const [clause = ''] = reason.split('\n');
      const what = isDeploy ? 'the deployment' : 'the tests';
      return [
        found({
          kind: 'deploy-failed',
          culprit: culpritMember(situation, member),
          missing: [member.device],
          first: { member, version: run.end.version },
          steps: [
            {
              text: `${who(member)} starts action ${run.index} ${run.command}`,
              event: run.version,
            },
            { text: `it fails: ${clause}`, event: run.end.version },
            ...waitSteps(situation, gaps),
          ],
          summary: `${what} of ${who(member)} failed: ${clause}`,
          advice: ['try the address of the reason from the machine of the worker'],
        }),
      ];
    }),
};
