/** Requests to the API: the token of this tab, problems as they are told, and a server that is away. */
import { signal } from '@preact/signals';

const TOKEN_KEY = 'muster-token';

/** What the server wants before it answers: a token, and why the last one was not taken. */
export const login = signal<{ isWanted: boolean; why: string }>({ isWanted: false, why: '' });

/** Since when the server does not answer; `undefined`: it does. */
export const awaySince = signal<number | undefined>(undefined);

/** Kept for this tab alone: another one, or the same after it was closed, asks again. */
const token = signal(sessionStorage.getItem(TOKEN_KEY) ?? '');

export function logIn(given: string): void {
  token.value = given;
  sessionStorage.setItem(TOKEN_KEY, given);
  login.value = { isWanted: false, why: '' };
}

export function logOut(): void {
  sessionStorage.removeItem(TOKEN_KEY);
  token.value = '';
  login.value = { isWanted: true, why: '' };
}

export const hasToken = (): boolean => token.value !== '';

/** A problem as the API tells it (RFC 9457). */
export interface Problem {
  code: string;
  status: number;
  detail: string;
  problems?: readonly DocumentProblem[];
}

/** Something wrong at a place of a document or of a request. */
export interface DocumentProblem {
  path: string;
  line?: number | undefined;
  column?: number | undefined;
  message: string;
  expected?: string | undefined;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** An event that only its reader finds damaged, told as a refusal is. */
export const unreadable = (job: number, is: { version: number; type: string }): ApiError =>
  new ApiError({
    code: 'unreadable-event',
    status: 500,
    detail: `Event ${is.version} of job ${job} (${is.type}) cannot be read; "muster verify" says whether the log is damaged`,
  });

/** The server gave no answer at all. */
export class ServerAway extends Error {
  override readonly name = 'ServerAway';
}

/** One request. @throws ApiError for a refusal; ServerAway for none; whatever the signal aborts with */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token.value !== '') headers.set('authorization', `Bearer ${token.value}`);
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    awaySince.value ??= Date.now();
    throw new ServerAway('the server does not answer');
  });
  awaySince.value = undefined;
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.code === 'token-missing' || problem.code === 'token-refused')
    login.value = { isWanted: true, why: token.value === '' ? '' : problem.detail };
  throw new ApiError(problem);
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const said = JSON.parse(text) as Partial<Problem> & { title?: string };
    const detail = said.detail ?? said.title ?? response.statusText;
    return { ...said, code: said.code ?? 'unknown', status: response.status, detail };
  } catch {
    const detail = `${response.status} ${response.statusText}`;
    return { code: 'unknown', status: response.status, detail };
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal === undefined ? {} : { signal });
  return (await response.json()) as T;
}

export async function send<T>(method: 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  const response = await request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

/** What went wrong, for a person: what happened, and what to do where that is known. */
export function toldOf(error: unknown): string {
  if (error instanceof ServerAway) return 'The server does not answer. This page tries again.';
  if (error instanceof Error) return error.message;
  return String(error);
}
