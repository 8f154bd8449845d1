// `npm run matrix`: writes the tests of each behaviour into the coverage matrix.
import { writeFileSync } from 'node:fs';
import { MATRIX_PATH, readSources, withTests } from './support/clauses.ts';

writeFileSync(MATRIX_PATH, withTests(readSources('.')));
