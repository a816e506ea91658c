/** The shipped examples: their job files leave open where their test definitions are. */

/** Stands in a job's `git-repo` until somebody has a repository to put there. */
const PLACEHOLDER = 'EXAMPLES_REPOSITORY';

/** @param repository a URL or an absolute path */
export function withRepository(text: string, repository: string): string {
  return text.replaceAll(PLACEHOLDER, repository);
}
