/** Boards on a serial line, under the shells that are tried in the long run alone: a file of its own, as its hooks are for all tests of a file. */
import './line.process.test.ts';
