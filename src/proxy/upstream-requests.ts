import type { ModelId } from '../catalog/model-list.js';
import type { Door } from '../http-edge/doors.js';
import type { Asked } from '../reading/asked.js';
import type { HeldBody } from '../reading/held-body.js';
import { upstreamBody } from '../reading/upstream-body.js';
import type { RequestRecord } from '../request/request-record.js';
import { toUpstreamHeaders } from '../upstream/header-policy.js';
import type { UpstreamRequest } from '../upstream/upstream-exchange.client.js';

/**
 * The requests that one of a client's becomes. They differ in the value of `model` alone; one that names the model itself goes
 * as it came.
 */
export function upstreamRequests(
  { path, backend: { origin, path: prefix } }: Door,
  { request, id }: RequestRecord,
  held: HeldBody,
  asked: Asked,
): (model: ModelId) => UpstreamRequest {
  const url = request.url as string;
  const query = url.indexOf('?');
  const target = prefix + path + (query === -1 ? '' : url.slice(query));
  const headers = toUpstreamHeaders(request.rawHeaders, id);
  return (model) => ({
    origin,
    path: target,
    method: 'POST',
    headers,
    body: upstreamBody(held, asked, model),
  });
}
