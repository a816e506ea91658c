/** The one projection that a server keeps: what it starts with, and what `muster verify` holds against a cold rebuild. */
import {
  applyToDirectory,
  type Directory,
  directoryFromJson,
  directoryToJson,
  emptyDirectory,
} from '../projections/directory.ts';
import type { Projection } from './projection-runner.ts';

export const directoryProjection: Projection<Directory> = {
  name: 'directory',
  version: 5,
  empty: emptyDirectory,
  apply: applyToDirectory,
  toJson: directoryToJson,
  fromJson: directoryFromJson,
};
