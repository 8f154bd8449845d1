import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it stood in an export. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2: a server's, 3: a client's. */
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2: an error. */
  readonly status: number;
}

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A collector that takes spans over OTLP/HTTP, in protobuf. */
export class OtlpReceiver {
  readonly exports: Received[] = [];
  /** What it answers with, if it does. */
  status: number | 'hang' = 200;
  headers: OutgoingHttpHeaders = {};

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          this.exports.push({
            path: request.url ?? '',
            headers: request.headers,
            body: Buffer.concat(chunks),
          });
          if (this.status !== 'hang') response.writeHead(this.status, this.headers).end();
        });
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OtlpReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** All that came, in the order in which they ended. */
  get spans(): ReceivedSpan[] {
    return this.exports.flatMap(({ body }) =>
      messages(body, 1).flatMap((resource) =>
        messages(resource, 2).flatMap((scope) => messages(scope, 2).map(spanOf)),
      ),
    );
  }

  /** The attributes of who sent the first export. */
  get resource(): Readonly<Record<string, string | number>> {
    const [first] = this.exports;
    if (!first) return {};
    return Object.fromEntries(
      messages(first.body, 1).flatMap((spans) =>
        messages(spans, 1).flatMap((resource) => messages(resource, 1).map(attributeOf)),
      ),
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

// The fields are those of https://github.com/open-telemetry/opentelemetry-proto, trace.proto and common.proto.

function spanOf(span: Buffer): ReceivedSpan {
  const [start, end] = [7, 8].map(
    (field) => fieldsOf(span).find(({ number }) => number === field)?.value as bigint,
  );
  return {
    traceId: bytes(span, 1).toString('hex'),
    spanId: bytes(span, 2).toString('hex'),
    parentSpanId: bytes(span, 4).toString('hex'),
    traceState: bytes(span, 3).toString(),
    name: bytes(span, 5).toString(),
    kind: Number(fieldsOf(span).find(({ number }) => number === 6)?.value),
    durationMs: Number((end as bigint) - (start as bigint)) / 1e6,
    attributes: Object.fromEntries(messages(span, 9).map(attributeOf)),
    status: Number(fieldsOf(bytes(span, 15)).find(({ number }) => number === 3)?.value ?? 0),
  };
}

function attributeOf(pair: Buffer): [string, string | number] {
  const [value] = fieldsOf(bytes(pair, 2));
  const isText = Buffer.isBuffer(value?.value);
  return [bytes(pair, 1).toString(), isText ? String(value?.value) : Number(value?.value)];
}

interface Field {
  readonly number: number;
  readonly value: bigint | Buffer;
}

function messages(message: Buffer, number: number): Buffer[] {
  return fieldsOf(message).flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  );
}

function bytes(message: Buffer, number: number): Buffer {
  return messages(message, number)[0] ?? Buffer.alloc(0);
}

/** https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    switch (tag & 7) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        fields.push({ number, value: message.readBigUInt64LE(at) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        fields.push({ number, value: message.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ number, value: BigInt(message.readUInt32LE(at)) });
        at += 4;
        break;
      default:
        throw new Error(`There is no wire type ${tag & 7}.`);
    }
  }
  return fields;
}
