/** The path of a request's target in lower case, decoded, without a query, and without the slashes that are too many. */
export function plainPath(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1);
  return decoded(path).toLowerCase().replace(/\/+/g, '/').replace(/\/$/, '');
}

/** The path of a request's target as routes are found by it: decoded, but for what would read as something else then, such as a slash. */
export function routePath(target: string): string {
  const [path = ''] = target.split('?', 1);
  return decoded(path, decodeURI);
}

function decoded(path: string, decode = decodeURIComponent): string {
  try {
    return decode(path);
  } catch {
    return path;
  }
}
