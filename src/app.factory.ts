import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { ALLOW_ORIGIN, corsHeaders, preflightHeaders } from './http-edge/cors.js';
import { originForm } from './http-edge/framing.js';
import { createHttpServer, onClientError } from './http-edge/http-server.factory.js';
import { requestIdOf } from './http-edge/request-id.js';
import { sendError } from './http-edge/send-error.js';
import { toApiError } from './openai/to-error-response.js';
import { createDestination } from './telemetry/logger.factory.js';

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
  return app;
}

function createAdapter(config: Config): FastifyAdapter {
  const { trustedProxies } = config;
  const adapter = new FastifyAdapter({
    // The router writes one line per request itself.
    logger: false,
    genReqId: requestIdOf,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    return503OnClosing: false,
    // Model ids are path parameters; whether there is such a model is not a question of length.
    routerOptions: { maxParamLength: 65_536 },
    serverFactory: (handle: RequestListener) => createHttpServer(handle, config),
    clientErrorHandler: onClientError,
    rewriteUrl: ({ url }: IncomingMessage) => originForm(url ?? '/'),
    // What the framework refuses before a route is found does not reach the exception filter.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      grantCors(request.raw, reply.raw, config);
      sendError(reply, toApiError(error, request.raw.url ?? ''), request.id);
    },
  });
  const fastify = adapter.getInstance();
  // Bodies are read by the router, as bytes and whatever type they are said to have.
  for (const method of BODY_METHODS)
    fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    void reply.header('x-request-id', request.id);
    if (typeof payload === 'string') request.record.answered(payload, performance.now());
    // A body that nobody reads would pause the connection while a pipelined answer waits for the one before it, and
    // then nobody would see the client leave.
    request.raw.resume();
    done();
  });
  if (config.corsOrigins.length > 0) addCors(fastify, config);
  return adapter;
}

function addCors(fastify: FastifyInstance, config: Config): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const isGranted = grantCors(request.raw, reply.raw, config);
    const preflight = isGranted && preflightHeaders(request.method, request.url, request.headers);
    if (preflight) void reply.code(204).headers(preflight).send();
    else done();
  });
}

/** On the raw response, so that relayed answers and errors alike carry the headers. @returns whether there is a permission. */
function grantCors(request: IncomingMessage, response: ServerResponse, { corsOrigins }: Config): boolean {
  if (corsOrigins.length === 0) return false;
  const headers = corsHeaders(corsOrigins, request.headers.origin);
  response.setHeaders(new Map(Object.entries(headers)));
  return ALLOW_ORIGIN in headers;
}
