import { formOf } from '../answers/answer-form.js';
import { JSON_HEADERS, type Reply, REPLIES, STREAM_HEADERS } from '../answers/chutes-replies.js';
import { asHostSays } from '../answers/host-errors.js';
import type { AnswerPlan } from '../answers/simulated-answer.js';
import type { Exchange } from '../exchange.js';
import { engineReply } from '../answers/engine-errors.js';
import { DEFAULT_MESSAGE, errorInStream } from './error-events.js';
import type { Behaviour } from './misbehaviour.js';
import { replyOf } from './replies.js';

/** How fast a model writes. */
export interface Pace {
  /** From the whole request to the first token, and with it the headers of a stream; milliseconds. */
  readonly firstTokenMs: number;
  /** From each token to the next; milliseconds. */
  readonly tokenMs: number;
  /** How many tokens an answer has; without it, as many as its sentences have. */
  readonly tokens?: number;
}

/** Everything an exchange needs to be answered well. */
export interface Performance {
  readonly plan: AnswerPlan;
  readonly pace: Pace;
  readonly isStream: boolean;
  /** What Chutes adds to every answer of a model. */
  readonly headers: Readonly<Record<string, string>>;
}

const DEFAULT_SLOW_MS = 2000;
const DEFAULT_CHUNKS = 3;
/** Long enough for the other side to have read what was sent before a reset. */
const BEFORE_RESET_MS = 20;

/** Answers one exchange in the way of one behaviour. */
export async function perform(exchange: Exchange, behaviour: Behaviour, show: Performance): Promise<void> {
  switch (behaviour.kind) {
    case 'normal':
      return answer(exchange, show, { done: true });
    case 'no-done':
      return answer(exchange, show, { done: false });
    case 'echo':
      exchange.begin(200, JSON_HEADERS);
      return exchange.end(exchange.request.body);
    case 'slow-headers':
      await exchange.sleep(behaviour.ms ?? DEFAULT_SLOW_MS);
      return answer(exchange, show, { done: true });
    case 'slow-first-token':
      await exchange.head(200, headersOf(show));
      await exchange.sleep(behaviour.ms ?? DEFAULT_SLOW_MS);
      return exchange.end(wholeBody(show));
    case 'empty-answer':
      return answer(
        exchange,
        { ...show, plan: { ...show.plan, tokens: [], call: undefined, thinks: false } },
        { done: true },
      );
    case 'status':
      await exchange.head(behaviour.status, behaviour.headers);
      return exchange.end(behaviour.body);
    case 'scripted':
      return followScript(exchange, behaviour.script);
    case 'silent':
      return exchange.silence();
    case 'reset':
      return exchange.reset();
    case 'close':
      return exchange.close();
    case 'headers-then-silence':
      await exchange.head(200, headersOf(show));
      return exchange.silence();
    case 'empty-body':
      await exchange.head(200, headersOf(show));
      return exchange.end();
    case 'reset-after-headers':
      await exchange.head(200, headersOf(show));
      await exchange.sleep(BEFORE_RESET_MS);
      return exchange.reset();
    case 'cut-stream':
      await beginning(exchange, show, behaviour.afterChunks);
      await exchange.sleep(BEFORE_RESET_MS);
      return behaviour.reset === true ? exchange.reset() : exchange.close();
    case 'stall':
      await beginning(exchange, show, behaviour.afterChunks);
      return exchange.silence();
    case 'unfinished':
      await beginning(exchange, show, behaviour.afterChunks);
      return exchange.end();
    case 'unframed-error':
      return errorEvent(exchange, { ...behaviour, kind: 'error-event', form: 'unframed' }, show);
    case 'error-event':
      return errorEvent(exchange, behaviour, show);
    case 'truncated':
      return truncated(exchange, show);
    default:
      return send(exchange, asHostSays(show.plan.kind, replyOf(behaviour.kind, show.plan.model)));
  }
}

/** Sends a complete reply, with its length unless it is a stream. */
export async function send(exchange: Exchange, reply: Reply, headers: Reply['headers'] = {}): Promise<void> {
  const length = { 'content-length': String(Buffer.byteLength(reply.body)) };
  const isStream = reply.headers['content-type'] === STREAM_HEADERS['content-type'];
  await exchange.head(reply.status, { ...headers, ...reply.headers, ...(isStream ? {} : length) });
  await exchange.end(reply.body);
}

async function answer(exchange: Exchange, show: Performance, { done }: { done: boolean }): Promise<void> {
  const { pace, plan } = show;
  if (!show.isStream) {
    // As with the real one, nothing at all is sent before the whole answer is there.
    await exchange.sleep(pace.firstTokenMs + pace.tokenMs * Math.max(0, plan.tokens.length - 1));
    return send(
      exchange,
      { status: 200, headers: JSON_HEADERS, body: formOf(plan).whole(plan) },
      show.headers,
    );
  }
  const form = formOf(plan);
  await writeEvents(exchange, show, form.events(plan));
  return exchange.end(done ? form.ending(plan) : '');
}

async function writeEvents(exchange: Exchange, show: Performance, events: readonly string[]): Promise<void> {
  await exchange.sleep(show.pace.firstTokenMs);
  // Headers and first event in one go: the real ones come together, too.
  exchange.begin(200, headersOf(show));
  if (events.length === 0) {
    return exchange.flushHead();
  }
  for (const [index, event] of events.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one event after the other is the point
    await writeAfter(exchange, index === 0 ? 0 : show.pace.tokenMs, event);
  }
}

async function writeAfter(exchange: Exchange, ms: number, event: string): Promise<void> {
  await exchange.sleep(ms);
  return exchange.write(event);
}

/** The first part of an answer: some events of a stream, or half of a JSON body. */
async function beginning(exchange: Exchange, show: Performance, afterChunks = DEFAULT_CHUNKS): Promise<void> {
  if (show.isStream) {
    return writeEvents(exchange, show, formOf(show.plan).events(show.plan).slice(0, afterChunks));
  }
  const body = formOf(show.plan).whole(show.plan);
  exchange.begin(200, headersOf(show));
  await exchange.write(body.slice(0, body.length / 2));
}

/** Of an answer that is not streamed nothing has been sent when its generation breaks: it is an error. */
async function errorEvent(
  exchange: Exchange,
  behaviour: Extract<Behaviour, { kind: 'error-event' }>,
  show: Performance,
): Promise<void> {
  const {
    afterChunks = DEFAULT_CHUNKS,
    form = 'framed',
    message = DEFAULT_MESSAGE,
    code,
    followedBy,
  } = behaviour;
  const { plan } = show;
  if (!show.isStream) {
    const reply = code === 400 ? engineReply({ engine: 'sglang', message }, false) : REPLIES.internalError;
    return send(exchange, asHostSays(plan.kind, reply));
  }
  await beginning(exchange, show, afterChunks);
  await exchange.write(errorInStream(form, behaviour, plan.kind, afterChunks));
  const endings = { done: formOf(plan).ending(plan), comment: ': the end\n\n', nothing: '' };
  return exchange.end(endings[followedBy ?? 'nothing']);
}

async function truncated(exchange: Exchange, show: Performance): Promise<void> {
  const body = Buffer.from(wholeBody(show));
  exchange.begin(200, { ...headersOf(show), 'content-length': String(body.length) });
  await exchange.write(body.subarray(0, body.length / 2));
  exchange.close();
}

async function followScript(
  exchange: Exchange,
  script: (exchange: Exchange) => Promise<void> | void,
): Promise<void> {
  await script(exchange);
  if (exchange.hasBegun && !exchange.isOver) {
    await exchange.end();
  }
}

export function wholeBody({ plan, isStream }: Performance): string {
  const form = formOf(plan);
  return isStream ? form.events(plan).join('') + form.ending(plan) : form.whole(plan);
}

function headersOf({ headers, isStream }: Performance): Record<string, string> {
  return { ...headers, ...(isStream ? STREAM_HEADERS : JSON_HEADERS) };
}
