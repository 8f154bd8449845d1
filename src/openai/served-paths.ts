import { ApiError } from './api-error.js';
import { dialectOf } from './dialect.js';
import { plainPath, routePath } from './plain-path.js';

/**
 * What is proxied: each line is served at the front door and by the controller, and has its CORS and its 405. What its clients speak
 * and where it is sent follow from the path's dialect.
 */
export const PROXIED_PATHS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
] as const;

const READ = ['GET', 'HEAD'];
const POST = ['POST'];

/** Every other path that is served, with its methods. */
const READABLE: readonly RegExp[] = [
  /^\/v1\/models(?:\/.*)?$/,
  /^\/chutes\/[^/]+\/evidence$/,
  /^\/(?:healthz|readyz|metrics)$/,
  /^\/autopilot(?:\/(?:models|decisions|events|[a-z-]+\.(?:css|js)))?$/,
];

/** How the paths end that a client makes of its base URL, and what they are with the right one. */
const CLIENT_PATHS: readonly (readonly [RegExp, string])[] = [
  [/\/chat\/completions$/, '/v1/chat/completions'],
  [/\/completions$/, '/v1/completions'],
  [/\/responses$/, '/v1/responses'],
  [/\/messages\/count_tokens$/, '/v1/messages/count_tokens'],
  // Threads of OpenAI's have messages, too.
  [/^(?!.*\/threads\/).*\/messages$/, '/v1/messages'],
  [/\/models$/, '/v1/models'],
  [/\/models\/./, '/v1/models/{id}'],
];

const ADDRESS = 'the address of this router';
const BASE_URL = `The base URL of a client is ${ADDRESS} followed by /v1 and nothing else, as in http://127.0.0.1:8080/v1.`;
const ANTHROPIC_BASE_URL = `The base URL of a client of Anthropic's is ${ADDRESS} and nothing else, as in http://127.0.0.1:8080.`;

/** What a client takes for the base URL that made this path of it. One of Anthropic's own adds `/v1` by itself, others that speak its API do not. */
function baseUrlOf(meant: string, path: string): string {
  return dialectOf(meant) === 'messages' && path.endsWith(meant) ? ANTHROPIC_BASE_URL : BASE_URL;
}

/** The paths that are served, and what is said of all others. */
export class ServedPaths {
  private readonly all: string;

  /** @param proxied those of {@link PROXIED_PATHS} whose upstream is not turned off */
  constructor(readonly proxied: readonly string[] = PROXIED_PATHS) {
    const posts = proxied.map((path) => `POST ${path}`).join(', ');
    this.all = `This router serves ${posts}, GET /v1/models and GET /v1/models/{id}.`;
  }

  /** @returns `undefined` for a path that is not served. */
  methodsAt(url: string): readonly string[] | undefined {
    const path = routePath(url);
    if (this.proxied.includes(path)) return POST;
    return READABLE.some((pattern) => pattern.test(path)) ? READ : undefined;
  }

  /** The error for a request that no route took. */
  notServed(url: string): ApiError {
    const methods = this.methodsAt(url);
    if (methods) return ApiError.methodNotAllowed(methods);
    const path = plainPath(url);
    const meant = this.meantBy(path);
    if (meant !== undefined) {
      return ApiError.notFound(
        `There is nothing at this path. Did you mean ${meant}? ${baseUrlOf(meant, path)}`,
      );
    }
    if (path === '' || path === '/v1') {
      const anthropic = this.proxied.includes('/v1/messages') ? `${ANTHROPIC_BASE_URL} ` : '';
      return ApiError.notFound(`There is nothing at this path alone. ${BASE_URL} ${anthropic}${this.all}`);
    }
    return ApiError.notFound(
      path.startsWith('/v1/') ? `Not served here. ${this.all}` : 'There is nothing at this path.',
    );
  }

  private meantBy(path: string): string | undefined {
    const [, meant] = CLIENT_PATHS.find(([ending]) => ending.test(path)) ?? [];
    return meant === undefined || this.isOpen(meant) ? meant : undefined;
  }

  private isOpen(path: string): boolean {
    return this.proxied.includes(path) || !(PROXIED_PATHS as readonly string[]).includes(path);
  }
}
