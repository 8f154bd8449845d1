import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestRecord } from '../request/request-record.js';

/** Who lets requests in. */
export interface Gatekeeper {
  /** @returns `undefined` if the request has been answered. */
  admit(request: IncomingMessage, response: ServerResponse, isCounted: boolean): RequestRecord | undefined;
  /** Opens a request's record, whatever becomes of it. */
  open(request: IncomingMessage, response: ServerResponse, isCounted: boolean): RequestRecord;
}

/** Answers requests for one path; whatever fails, it answers that, too. */
export type Host = (record: RequestRecord) => void;

/**
 * Where proxied requests come in. Fastify and Nest would cost more than all that the router does to one (what each takes:
 * research/PERFORMANCE.md), so a `POST` to a path that is spelled as it mostly is goes straight to its host. All else, other
 * spellings of the same paths included, goes to Fastify. Nothing of Nest's (guards, pipes, interceptors) sees what comes this way.
 *
 * Made before the application, and handed to it: who serves a path says so here when the application starts.
 */
export class FrontDoor {
  private readonly hosts = new Map<string, Host>();
  private keeper: Gatekeeper | undefined;

  guardedBy(gatekeeper: Gatekeeper): void {
    this.keeper = gatekeeper;
  }

  /** There since the application was made. */
  get gatekeeper(): Gatekeeper {
    if (!this.keeper) throw new Error('Nobody keeps the gate.');
    return this.keeper;
  }

  /** @param path as the usual client spells it, without a query */
  serve(path: string, host: Host): void {
    this.hosts.set(path, host);
  }

  /** @returns whether the request is one for a host. */
  takes(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'POST') return false;
    const url = request.url as string;
    const query = url.indexOf('?');
    const host = this.hosts.get(query === -1 ? url : url.slice(0, query));
    if (!host) return false;
    const record = this.gatekeeper.admit(request, response, true);
    if (record) host(record);
    return true;
  }
}
