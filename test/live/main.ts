/** Compares the real Chutes with what the router relies on. See specs/016-live-verification. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Check, CHECKS, type Known, type Seen } from './checks.ts';

const TIMEOUT_MS = 60_000;
/** Of a capture's body. */
const MAX_BODY_CHARACTERS = 4_000;

const { CHUTES_API_KEY: key = '', CHUTES_LLM_URL, CHUTES_API_URL, CAPTURES_DIR = 'captures' } = process.env;
const { CHUTES_RESPONSES_URL, CHUTES_MESSAGES_URL } = process.env;
if (key === '') {
  process.stderr.write(
    'Set CHUTES_API_KEY to a key of your account: a completion, a response and a message of a few tokens are made with it.\n',
  );
  process.exit(2);
}

const known: Known = {
  llmUrl: CHUTES_LLM_URL ?? 'https://llm.chutes.ai',
  responsesUrl: CHUTES_RESPONSES_URL ?? 'https://responses.chutes.ai',
  messagesUrl: CHUTES_MESSAGES_URL ?? 'https://claude.chutes.ai',
  apiUrl: CHUTES_API_URL ?? 'https://api.chutes.ai',
  key,
  nonce: randomBytes(32).toString('hex'),
  models: [],
  running: '',
};

await mkdir(CAPTURES_DIR, { recursive: true });
let differences = 0;
print('', 'call', 'expected', 'seen');
for (const check of CHECKS) {
  const { isAsExpected, seen } = await verify(check);
  if (!isAsExpected) differences += 1;
  print(isAsExpected ? '✓' : '✗', check.name, check.expected, seen);
}
process.exitCode = differences === 0 ? 0 : 1;

async function verify(check: Check): Promise<{ isAsExpected: boolean; seen: string }> {
  try {
    const { url, init } = check.request(known);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const contentType = response.headers.get('content-type') ?? '';
    const seen: Seen = { status: response.status, contentType, body: await response.text() };
    const holds = check.holds(seen, known);
    if (!(await capture(check.name, url, seen)))
      return { isAsExpected: false, seen: 'refused: it contains the key' };
    return { isAsExpected: holds, seen: `${seen.status} ${contentType} ${seen.body.slice(0, 60)}` };
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } };
    return { isAsExpected: false, seen: `no answer (${cause?.code ?? name})` };
  }
}

/** @returns false, having written nothing, if the answer has the key in it anywhere. */
async function capture(name: string, url: string, { status, contentType, body }: Seen): Promise<boolean> {
  if (holdsKey(body) || holdsKey(contentType) || holdsKey(url)) return false;
  const text = JSON.stringify(
    { url, status, contentType, body: body.slice(0, MAX_BODY_CHARACTERS) },
    null,
    2,
  );
  await writeFile(join(CAPTURES_DIR, `${name.replaceAll(' ', '_')}.json`), `${text}\n`);
  return true;
}

function holdsKey(text: string): boolean {
  return [key, encodeURIComponent(key), Buffer.from(key).toString('base64').replace(/=+$/, '')].some(
    (spelling) => text.includes(spelling),
  );
}

function print(mark: string, call: string, expected: string, seen: string): void {
  const line = [mark.padEnd(1), call.padEnd(33), expected.padEnd(46), seen.replaceAll(/\s+/g, ' ')];
  process.stdout.write(`${line.join(' ')}\n`);
}
