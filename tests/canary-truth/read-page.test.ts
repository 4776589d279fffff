import { expect, test } from '@jest/globals';
import { readPage } from './read-page.ts';

test('a page that says that all is well has a headline and no trouble', () => {
  const html = '<main><section class="verdict all"><h1>An alert would arrive</h1></section></main>';
  expect(readPage(html)).toEqual({ headline: 'An alert would arrive', trouble: [] });
});

test('trouble is the headline, every finding, and another canary that does not answer', () => {
  const html = `<h1>NOTHING ARRIVES BY FCM for <span data-age="1">85 s</span></h1>
    <ul class="findings"><li><svg/><span><b>All paths through FCM have been failing for <span>85 s</span></b></span></li>
    <li><span><b>Edge a: does not answer</b></span></li></ul>
    <div class="box bad"><p><b>b</b> · <b>DOES NOT ANSWER</b></p></div>`;
  expect(readPage(html)).toEqual({
    headline: 'NOTHING ARRIVES BY FCM for 85 s',
    trouble: [
      'NOTHING ARRIVES BY FCM for 85 s',
      'All paths through FCM have been failing for 85 s',
      'Edge a: does not answer',
      'The other canaries: DOES NOT ANSWER',
    ],
  });
});
