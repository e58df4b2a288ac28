"use strict";
// Which pages are meant by what somebody typed. Knows nothing of the document.
window.sipexplain ??= {};
(() => {
  // Codes are looked up more often than anything else, and rules say much.
  const WEIGHTS = { code: 1.4, rule: 0.6 };

  // Small letters without accents, words apart; a blank before the first and after the last.
  const fold = text => {
    const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return ` ${plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
  };

  // The texts of every page, ready to be searched.
  sipexplain.index = data => data.kinds.flatMap(kind => kind.pages.map(page => {
    const own = id => page.sections.filter(section => section.id === id);
    const phrases = [...own("phrase").map(section => section.heading), ...own("also").flatMap(section => section.text),
      ...own("phrases").flatMap(section => section.rows.map(([said]) => said))];
    const texts = page.sections.flatMap(section => [...section.text ?? [], ...(section.rows ?? []).flat()]);
    return {
      page,
      key: fold(`${kind.id} ${page.name}`),
      name: fold(page.name),
      about: fold(page.about),
      head: fold([page.title, page.about, kind.id, kind.heading, page.key, ...phrases].join(" ")),
      body: fold([page.note, ...texts].join(" ")),
      weight: (WEIGHTS[kind.id] ?? 1) * (page.unregistered ? 0.7 : 1),
    };
  }));

  // How well a text holds a word: as a word, as the beginning of one, or somewhere inside.
  const fit = (text, word, points) => {
    if (text.includes(` ${word} `)) return points[0];
    if (text.includes(` ${word}`)) return points[1];
    return text.includes(word) ? points[2] : 0;
  };

  // How well a text holds words that follow each other: as they are, or each as the beginning of one
  // ("no answer" is in "nobody answered").
  const follow = (text, words, points) => {
    const phrase = words.join(" ");
    if (words.length < 2 || text.includes(` ${phrase} `)) return fit(text, phrase, points);
    return new RegExp(` ${words.join("\\S* ")}`).test(text) ? points[1] : text.includes(phrase) ? points[2] : 0;
  };

  // 0 where a word is nowhere.
  const score = (entry, asked, words) => {
    if (entry.name === asked || entry.key === asked) return 1000 * entry.weight;
    if (entry.about === asked) return 900 * entry.weight;
    let points = 0;
    for (const word of words) {
      const best = Math.max(fit(entry.head, word, [40, 25, 10]), fit(entry.body, word, [8, 5, 2]));
      if (best === 0) return 0;
      points += best;
    }
    return entry.weight * (points + follow(entry.head, words, [200, 150, 50]) + follow(entry.body, words, [80, 70, 20]));
  };

  // The pages found, the likeliest first.
  sipexplain.find = (index, text) => {
    let asked = fold(text);
    if (asked.startsWith(" sip ") && asked.length > 5) asked = asked.slice(4);
    const words = asked.trim().split(" ");
    if (words[0] === "") return [];
    const found = index.map(entry => ({ page: entry.page, points: score(entry, asked, words) }));
    return found.filter(one => one.points > 0).sort((a, b) => b.points - a.points).map(one => one.page);
  };

  // The two that somebody wants to see side by side: "busy here / decline", "q850:17 vs q850:19", "200 607".
  // `page` says which page has exactly this name, if any.
  sipexplain.pair = (text, page) => {
    const both = sides => sides.length === 2 && sides.every(side => page(side)) ? sides.map(page) : null;
    const numbers = text.trim().split(/\s+/);
    return both(text.trim().split(/\s*[/,]\s*|\s+vs\.?\s+/i))
      ?? (numbers.every(one => /^(\w+:\S+|\d+)$/.test(one)) ? both(numbers) : null);
  };
})();
