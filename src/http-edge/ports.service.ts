import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { CONFIG, type Config } from '../config/config.js';
import { routePath } from '../openai/plain-path.js';
import { LOGGER, type Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { createHttpServer, onClientError } from './http-server.factory.js';
import { openFilesNeeded } from './open-files.js';
import { OverloadService } from './overload.service.js';
import { type Address, maxOpenFiles, Port } from './port.socket.js';
import { belongsInside, belongsToStatus } from './ports.js';
import { ReadTurns } from './read-turns.socket.js';

/** Probes, scrapes and a few people. */
const MAX_INSIDE_CONNECTIONS = 256;

/**
 * The two ports: that of the clients and, where one is set, that of the inside. A server of its own is what keeps clients from
 * having all the connections there are.
 */
@Injectable()
export class PortsService implements OnApplicationShutdown {
  private clients: Port | undefined;
  private inside: { readonly server: Server; readonly port: Port } | undefined;
  private readonly insideSockets = new WeakSet<Socket>();
  private readonly readTurns = new ReadTurns();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly overload: OverloadService,
    @Inject(LOGGER) private readonly logger: Logger,
    metrics: MetricsService,
  ) {
    metrics.gaugeAtScrape('connections', 'Open connections of clients.', () => this.connections);
  }

  /**
   * Listens at both.
   *
   * @param address of the port for clients
   */
  async open(app: NestFastifyApplication, address: Address = this.config.listen): Promise<void> {
    await app.init();
    await this.host.httpAdapter.getInstance().ready();
    this.host.httpAdapter.getHttpServer().on('connection', (socket: Socket) => this.readTurns.add(socket));
    if (this.config.admin) await this.openInside(this.config.admin);
    this.clients ??= new Port(app.getHttpServer(), this.config.requests.maxConnections, () =>
      this.overload.refusedConnection('clients'),
    );
    await this.clients.listen(address, async (options) => app.listen(options));
    this.warnOfFewFiles(this.clients);
  }

  /** Where the admin port is. */
  get insideUrl(): string | undefined {
    return this.inside?.port.url;
  }

  /** How many connections of clients are open. */
  get connections(): number {
    return this.clients?.connections ?? 0;
  }

  /** @param route the path that Fastify has found a route for, as it was registered */
  serves(request: IncomingMessage, route: string | undefined): boolean {
    const path = route ?? routePath(request.url as string);
    if (!this.config.hasStatusPage && belongsToStatus(path)) return false;
    return !this.inside || belongsInside(path) === this.isInside(request);
  }

  /** Whether a request came in at the admin port. */
  isInside({ socket }: IncomingMessage): boolean {
    return this.insideSockets.has(socket);
  }

  /** Accepts no more clients. */
  closeToClients(): void {
    this.clients?.close();
  }

  /** Cuts all clients. */
  disconnectClients(): void {
    this.host.httpAdapter.getHttpServer().closeAllConnections();
  }

  onApplicationShutdown(): void {
    this.readTurns.close();
    this.closeToClients();
    this.inside?.port.close();
    this.inside?.server.closeAllConnections();
  }

  private warnOfFewFiles({ listenerCount }: Port): void {
    const limit = maxOpenFiles();
    const needed = openFilesNeeded({
      clients: this.config.requests.maxConnections,
      inside: this.inside ? MAX_INSIDE_CONNECTIONS : 0,
      upstream: this.config.upstream.maxConnections,
      listeners: listenerCount,
    });
    if (limit < needed) this.logger.warn({ limit, needed }, 'too few open files for all connections');
  }

  private async openInside(address: Address): Promise<void> {
    if (this.inside) return;
    const fastify = this.host.httpAdapter.getInstance();
    const server = createHttpServer((request, response) => fastify.routing(request, response), this.config);
    server.on('connection', (socket) => this.insideSockets.add(socket)).on('clientError', onClientError);
    const port = new Port(server, MAX_INSIDE_CONNECTIONS, () => this.overload.refusedConnection('inside'));
    this.inside = { server, port };
    await port.listen(address, async (options) => {
      const listening = Promise.withResolvers<void>();
      server.once('error', listening.reject).listen(options, () => {
        server.off('error', listening.reject);
        listening.resolve();
      });
      await listening.promise;
    });
  }
}
