/** The collector of the benchmarks: takes spans over OTLP/HTTP and forgets them. */
import { createServer } from 'node:http';

const [port = ''] = process.argv.slice(2);

createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200).end());
}).listen(Number(port), '127.0.0.1');
