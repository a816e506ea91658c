/** What boards say, under the shells and clients that are paired in the long run alone. */
import '../wire/board.process.test.ts';
import './callers.process.test.ts';
import './helpers.process.test.ts';
import './network.process.test.ts';
import './results.process.test.ts';
import './runner.process.test.ts';
import './surroundings.process.test.ts';
import './verbs.process.test.ts';
import './words.property.process.test.ts';
