import { isIP } from 'node:net';
import { createClient, ErrorReply, SocketClosedUnexpectedlyError } from '@redis/client';
import { refusalOf } from './redis-refusal.js';

export interface RedisOptions {
  readonly url: string;
  /** How long a command may take. */
  readonly timeoutMs: number;
}

/** From the first packet to the answer to the handshake. */
const CONNECT_TIMEOUT_MS = 2_000;
/** For so long an overdue answer is waited for before the connection is given up. */
const SILENCE_MS = 1_000;
/** So many commands wait for an answer at most. */
const MAX_OUTSTANDING = 1_000;

/** One connection to Redis, from its opening to its end. */
export class RedisConnection {
  /** Resolves when it is over, with a reason that holds nothing secret. */
  readonly ended: Promise<string>;
  /** Whether Redis has answered a command. */
  hasAnswered = false;

  private readonly end = Promise.withResolvers<string>();
  private readonly socket = new AbortController();
  private readonly client;
  /** Commands that took too long and are still unanswered. */
  private overdue = 0;
  private silence: NodeJS.Timeout | undefined;

  /** @param onTrouble called with the reason when Redis refuses a command or takes too long for one. */
  constructor(
    private readonly options: RedisOptions,
    private readonly onTrouble: (reason: string) => void,
  ) {
    this.ended = this.end.promise;
    this.client = createClient({
      url: options.url,
      name: 'chutes-autopilot',
      socket: socketOptions(options.url, this.socket.signal),
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_OUTSTANDING,
      // The client's own timeout ends when a command is written, and costs more than the command.
      commandOptions: { timeout: 0 },
      disableClientInfo: true,
      maintNotifications: 'disabled',
    });
    // After an answer that cannot be read, those that follow would be taken for answers to other commands.
    this.client.on('error', (error: Error) => this.close(reasonOf(error)));
  }

  /** Resolves when commands can be sent. */
  async open(): Promise<void> {
    const timer = setTimeout(() => this.close('timeout'), CONNECT_TIMEOUT_MS);
    try {
      await this.client.connect();
    } catch (error) {
      this.close(reasonOf(error));
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Nothing is sent while Redis owes an answer that is overdue: it would only be answered later still.
   *
   * @throws at once if there is no connection, or after the timeout
   */
  send(command: readonly string[]): Promise<unknown> {
    if (this.overdue > 0) return Promise.reject(new Error('Redis is behind.'));
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      let isOverdue = false;
      const expire = () => {
        if (isAnswered) return;
        isOverdue = true;
        this.fallBehind();
        reject(new Error('Redis takes too long.'));
      };
      // Where this process itself was busy, the answer lies there and is read before the immediate.
      const timer = setTimeout(() => setImmediate(expire), this.options.timeoutMs);
      const settle = () => {
        isAnswered = true;
        clearTimeout(timer);
        if (isOverdue) this.catchUp();
      };
      this.client.sendCommand(command).then(
        (reply) => {
          settle();
          this.hasAnswered = true;
          return resolve(reply);
        },
        (error: Error) => {
          settle();
          if (error instanceof ErrorReply) this.refused(reasonOf(error));
          return reject(error);
        },
      );
    });
  }

  /** Commands that are not answered yet fail. */
  close(reason: string): void {
    clearTimeout(this.silence);
    this.client.destroy();
    // A socket that is still connecting is out of the client's reach.
    this.socket.abort();
    this.end.resolve(reason);
  }

  private refused(reason: string): void {
    if (refusalOf(reason) === 'lost-role') this.close(reason);
    else this.onTrouble(reason);
  }

  private fallBehind(): void {
    this.overdue += 1;
    this.silence ??= setTimeout(() => this.close('silence'), SILENCE_MS);
    this.onTrouble('timeout');
  }

  private catchUp(): void {
    this.overdue -= 1;
    if (this.overdue > 0) return;
    clearTimeout(this.silence);
    this.silence = undefined;
  }
}

function socketOptions(url: string, signal: AbortSignal) {
  const { protocol, hostname } = new URL(url);
  // The timeout of the opening covers the handshake, too.
  const options = { reconnectStrategy: false, connectTimeout: 0, signal } as const;
  if (protocol === 'redis:') return options;
  const isName = !hostname.startsWith('[') && isIP(hostname) === 0;
  return { ...options, tls: true, ...(isName && { servername: hostname }) } as const;
}

/** Never the text of the error: a server may repeat what it was sent, password included. */
function reasonOf(error: unknown): string {
  if (error instanceof ErrorReply) return /^[A-Z]+\b/.exec(error.message)?.[0] ?? 'ERR';
  if (error instanceof SocketClosedUnexpectedlyError) return 'closed';
  return (error as NodeJS.ErrnoException).code ?? 'unreadable';
}
