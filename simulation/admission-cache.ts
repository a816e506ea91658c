/** Admission as the server decides it, remembered: a trace asks for the same groups thousands of times. */
import type { RoleRequest } from '../machines/definition.ts';
import { Planner } from '../scheduler/planner.ts';
import { shapeKey } from '../scheduler/shape.ts';
import type { Board } from '../scheduler/types.ts';

export class AdmissionCache {
  /** It is told which boards there are, not how they stand: admission is blind to that. */
  readonly #planner = new Planner();
  readonly #boards = new Set<string>();
  readonly #answers = new Map<string, boolean>();

  setBoard(board: Board): void {
    if (this.#boards.has(board.name)) return;
    this.#boards.add(board.name);
    this.#planner.setBoard(board);
    this.#answers.clear();
  }

  removeBoard(name: string): void {
    if (!this.#boards.delete(name)) return;
    this.#planner.removeBoard(name);
    this.#answers.clear();
  }

  admits(roles: readonly RoleRequest[]): boolean {
    const key = shapeKey({ roles });
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#planner.admit(roles).length === 0;
    this.#answers.set(key, answer);
    return answer;
  }
}
