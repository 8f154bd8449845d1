import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { sendError } from './openai/send-error.js';
import { toApiError } from './openai/to-error-response.js';
import { createDestination } from './telemetry/logger.js';
import { isRequestId } from './telemetry/request-record.js';

/** Methods that may carry a body. */
const BODY_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

/** The router, ready to listen. Its tests start the same one. */
export async function createApp(
  config: Config,
  logDestination: DestinationStream = createDestination(),
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, logDestination),
    createAdapter(config),
    { bodyParser: false, bufferLogs: true },
  );
  app.useLogger(app.get(Logger));
  const server: Server = app.getHttpServer();
  server.maxConnections = config.requests.maxConnections;
  return app;
}

function createAdapter({ requests, trustedProxies }: Config): FastifyAdapter {
  const adapter = new FastifyAdapter({
    // The router writes one line per request itself.
    logger: false,
    genReqId: ({ headers }: IncomingMessage) => {
      const id = headers['x-request-id'];
      return isRequestId(id) ? id : randomUUID();
    },
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    return503OnClosing: false,
    // Model ids are path parameters; whether there is such a model is not a question of length.
    routerOptions: { maxParamLength: 65_536 },
    http: {
      headersTimeout: requests.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, requests.headersTimeoutMs),
    },
    // What the framework refuses before a route is found does not reach the exception filter.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendError(reply, toApiError(error, request.raw.url ?? ''), request.id);
    },
  });
  const fastify = adapter.getInstance();
  // Bodies are read by the router, as bytes and whatever type they are said to have.
  for (const method of BODY_METHODS)
    fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  return adapter;
}
