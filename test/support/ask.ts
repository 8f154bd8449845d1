/** A router, or a simulator by itself. */
interface Server {
  readonly url: string;
}

/** A complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly redirect?: 'manual';
}

/** Asks for a path. */
export async function ask({ url }: Server, path: string, options: AskOptions = {}): Promise<Answer> {
  return answerTo(await fetch(url + path, options));
}

/** Sends a request for a completion. Text and bytes go as they are and without a `Content-Type`. */
export async function complete(
  { url }: Server,
  body: string | Buffer | Readonly<Record<string, unknown>>,
  { path = '/v1/chat/completions', ...options }: AskOptions & { readonly path?: string } = {},
): Promise<Answer> {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return answerTo(await fetch(url + path, { method: 'POST', body: new Uint8Array(bytes), ...options }));
}

/** The error of an answer in OpenAI's shape. */
export function errorOf({ text }: Answer): {
  message: string;
  type: string;
  param: string | null;
  code: string;
} {
  return (JSON.parse(text) as { error: ReturnType<typeof errorOf> }).error;
}

/** The model that an alias or list request was answered by. */
export function selectedOf({ headers }: Answer): string | null {
  return headers.get('x-chutes-autopilot-selected');
}

async function answerTo(response: Response): Promise<Answer> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}
