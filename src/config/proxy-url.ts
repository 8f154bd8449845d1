/** The URL of a proxy. Without a scheme it is `http`, as for curl. */
export function parseProxyUrl(text: string): URL | null {
  return URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
}
