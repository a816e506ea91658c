/** What boards say, under the shells and clients that are paired in the long run alone. */
import './callers.process.test.ts';
import './helpers.process.test.ts';
import './results.process.test.ts';
import './verbs.process.test.ts';
import './words.property.process.test.ts';
