import { REPLIES } from '../answers/chutes-replies.js';
import type { Exchange, HeaderFields } from '../exchange.js';
import { send } from './perform.js';

export type FeedName = 'models' | 'utilization' | 'stats' | 'evidence';

/** Everything a feed can do instead of answering well. */
export type FeedBehaviour =
  /** 200 with exactly this body (a string or Buffer as it is, anything else as JSON), or another status. */
  | {
      readonly kind: 'body';
      readonly body: unknown;
      readonly status?: number;
      readonly headers?: HeaderFields;
    }
  /** Answers well, but only after `ms`. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Does what the script says. */
  | { readonly kind: 'scripted'; readonly script: (exchange: Exchange) => Promise<void> | void }
  | { readonly kind: NamedFeedBehaviour };

export type NamedFeedBehaviour =
  /** Answers well. */
  | 'normal'
  /** 200 with an HTML page. */
  | 'html'
  /** Half of the document as if it were all. */
  | 'truncated'
  /** Half of the document, then the connection closes. */
  | 'cut'
  /** 500. */
  | 'error'
  /** Never sends a byte. */
  | 'silent'
  /** 200 and half of the document, then nothing more. */
  | 'stall'
  /** RST before any byte. */
  | 'reset'
  /** A valid document of 50 MB. */
  | 'huge'
  /** A document of the right shape without any entry. */
  | 'empty'
  /** 200 without a body. */
  | 'no-body'
  /** 307 to another path. */
  | 'redirect'
  /** Valid JSON whose root is not what belongs there. */
  | 'wrong-root'
  /** The usual rows with broken ones among them. */
  | 'odd-rows';

/** A feed's good document, and how to make others of its shape. */
export interface FeedDocument {
  /** The JSON text of the good answer. */
  readonly json: string;
  /** The good entries. */
  readonly rows: readonly unknown[];
  /** The JSON value whose entries are these. */
  readonly wrap: (rows: readonly unknown[]) => unknown;
}

export const REDIRECT_PATH = '/redirected';
export const HUGE_BYTES = 50 * 1024 * 1024;

/** Serves a feed in the way of one misbehaviour; `normal` serves it well. */
export async function serveFeed(
  exchange: Exchange,
  behaviour: FeedBehaviour,
  document: FeedDocument,
  normal: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { json, rows, wrap } = document;
  const half = json.slice(0, json.length / 2);
  switch (behaviour.kind) {
    case 'normal':
      return normal(exchange);
    case 'slow':
      await exchange.sleep(behaviour.ms);
      return normal(exchange);
    case 'scripted':
      await behaviour.script(exchange);
      return exchange.isOver ? undefined : exchange.end();
    case 'body':
      await exchange.head(behaviour.status ?? 200, { ...JSON_TYPE, ...behaviour.headers });
      return exchange.end(bytesOf(behaviour.body));
    case 'html':
      return send(exchange, { status: 200, headers: { 'content-type': 'text/html' }, body: HTML_PAGE });
    case 'error':
      return send(exchange, REPLIES.internalError);
    case 'truncated':
      return sendJson(exchange, half);
    case 'cut':
      exchange.begin(200, { ...JSON_TYPE, 'content-length': String(Buffer.byteLength(json)) });
      await exchange.write(half);
      return exchange.close();
    case 'stall':
      exchange.begin(200, JSON_TYPE);
      await exchange.write(half);
      return exchange.silence();
    case 'silent':
      return exchange.silence();
    case 'reset':
      return exchange.reset();
    case 'huge':
      return sendHuge(exchange, wrap);
    case 'empty':
      return sendJson(exchange, JSON.stringify(wrap([])));
    case 'no-body':
      return sendJson(exchange, '');
    case 'redirect':
      return send(exchange, { status: 307, headers: { location: REDIRECT_PATH }, body: '' });
    case 'wrong-root':
      return sendJson(exchange, '"maintenance"');
    case 'odd-rows':
      return sendJson(
        exchange,
        JSON.stringify(wrap([...oddRows(rows), ...rows])).replaceAll('"1e400"', '1e400'),
      );
  }
}

/** Entries that are broken in one way each, made from good ones. */
export function oddRows(rows: readonly unknown[]): unknown[] {
  const good = typeof rows[0] === 'object' ? rows[0] : {};
  return [
    null,
    7,
    'row',
    [],
    {},
    { ...good, id: undefined, name: undefined },
    { ...good, id: '', name: '' },
    { ...good, id: 7, name: 7 },
    { ...good, id: 'odd/text-number', name: 'odd/text-number', active_instance_count: '3' },
    // Stands for the number 1e400, which JSON.stringify cannot write.
    { ...good, id: 'odd/infinite', name: 'odd/infinite', utilization_current: '1e400' },
    { ...good, id: 'odd/nulls', name: 'odd/nulls', utilization_current: null, utilization_5m: null },
  ];
}

const JSON_TYPE = { 'content-type': 'application/json' };
const HTML_PAGE = '<!doctype html><title>Chutes</title><p>We will be back soon.</p>\n';

async function sendJson(exchange: Exchange, body: string): Promise<void> {
  return send(exchange, { status: 200, headers: JSON_TYPE, body });
}

async function sendHuge(exchange: Exchange, wrap: FeedDocument['wrap']): Promise<void> {
  const [before = '', after = ''] = JSON.stringify(wrap([{ id: 'huge', name: 'huge', padding: '@' }])).split(
    '@',
  );
  exchange.begin(200, JSON_TYPE);
  await exchange.write(before);
  await exchange.write(Buffer.alloc(HUGE_BYTES, 'x'));
  return exchange.end(after);
}

function bytesOf(body: unknown): string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
}
