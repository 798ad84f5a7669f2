// SPDX-License-Identifier: Apache-2.0
// Tooltips: whatever carries data-tip shows it under the pointer; a ROC curve shows its nearest point.
'use strict';
const tip = document.createElement('div');
tip.id = 'tip';
tip.hidden = true;
document.body.append(tip);

function showTip(event, content) {
  tip.textContent = content;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, window.innerWidth - box.width - 8);
  const above = event.clientY + 18 + box.height > window.innerHeight;
  tip.style.left = left + 'px';
  tip.style.top = (above ? event.clientY - box.height - 10 : event.clientY + 18) + 'px';
}

document.addEventListener('pointermove', (event) => {
  const target = event.target.closest && event.target.closest('[data-tip]');
  if (target) showTip(event, target.dataset.tip);
  else tip.hidden = true;
});

for (const svg of document.querySelectorAll('svg[data-roc]')) {
  const points = JSON.parse(svg.dataset.roc);
  const [left, top, size] = JSON.parse(svg.dataset.plot);
  const dot = svg.querySelector('.reading');
  svg.addEventListener('pointermove', (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const x = (at.x - left) / size, y = 1 - (at.y - top) / size;
    let best = points[0], least = Infinity;
    for (const point of points) {
      const distance = (point[0] - x) ** 2 + (point[1] - y) ** 2;
      if (distance < least) { least = distance; best = point; }
    }
    dot.setAttribute('cx', left + best[0] * size);
    dot.setAttribute('cy', top + (1 - best[1]) * size);
    dot.removeAttribute('visibility');
    const percent = (share) => (100 * share).toFixed(1) + ' %';
    showTip(event, 'signal kept: ' + percent(best[1]) + '\nbackground let through: ' + percent(best[0]));
    event.stopPropagation();
  });
  svg.addEventListener('pointerleave', () => dot.setAttribute('visibility', 'hidden'));
}
