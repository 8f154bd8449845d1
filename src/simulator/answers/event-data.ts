/** The `data` of each server-sent event, as it arrives. Enough for streams of one-line events, as language models send them. */
export async function* eventData(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) yield line.slice('data: '.length);
    }
  }
}
