// Lets npm scripts find the Node that package.json pins: node_modules/.bin/node is linked to the package of this platform.
// npm 11 does so by itself. npm 10, which comes with Node 20 and 22, takes the link away again together with the packages of
// other platforms, whose program has the same name. Where no package fits, the Node at hand goes on, if it is new enough.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Of undici, which does not load in an older one.
const LEAST = '22.19.0';

const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const isOlder = (one, other) => one.localeCompare(other, 'en', { numeric: true }) < 0;

const installed = Object.keys(optionalDependencies).find((name) => existsSync(join('node_modules', name)));
if (installed) link(installed);
else advise(Object.values(optionalDependencies)[0], process.versions.node);

function link(name) {
  const { bin } = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'));
  const program = join('..', name, bin.node);
  const place = join('node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(place)) return;
  mkdirSync(join('node_modules', '.bin'), { recursive: true });
  rmSync(place, { force: true });
  if (process.platform === 'win32') writeFileSync(place, `@"%~dp0${program}" %*\r\n`);
  else symlinkSync(program, place);
}

function advise(pinned, here) {
  if (!isOlder(here, pinned)) return;
  const why = `npm has no package of Node ${pinned} for ${process.platform}-${process.arch}, or was told not to install it`;
  if (isOlder(here, LEAST)) {
    process.stderr.write(`${why}: install Node ${pinned} yourself. This is ${here}, which is too old.\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`${why}: going on with Node ${here}.\n`);
  }
}
