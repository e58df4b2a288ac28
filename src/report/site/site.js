"use strict";
// Shows the page that the address asks for: `#/code/607`, `#/fr/compare/200/607`, `#/search/no%20answer`.
// Text only ever becomes text: nothing here writes HTML.
(() => {
  const FALLBACK = "en";
  // What the items of a section lead to: rows by their first cell, lists by each item.
  const LEADS = {
    rules: "rule", explains: "rule", headers: "header", "look-at": "header", methods: "method",
    sip: "code", "from-sip": "code", near: "code", registered: "code", unregistered: "code",
    answers: "code", met: "code", must: "code", read: "code", q850: "q850", "to-q850": "q850",
  };
  // Sections that list, with commas between.
  const LISTS = ["explains", "headers", "look-at", "methods", "near"];
  // Pages with no second side.
  const ALONE = ["rule", "class"];
  // Short sections, which stand beside the long ones where there is room.
  const ASIDE = ["by", "after", "caller", "retry", "proxy", "dialog", "headers", "look-at", "methods", "place", "explains", "needs", "see"];
  // Results shown.
  const MOST = 60;
  const RFC = /(RFC (\d+)(?: §([\d.A-Z]*\w))?)/;

  const at = id => document.getElementById(id);
  const [main, search, language] = [at("main"), at("search"), at("language")];
  const tags = [...language.options].map(option => option.value);
  const loaded = new Map(); // tag to its texts, the pages by path, and the index of the search
  let here; // the texts of the language shown
  let linked = ""; // the language in the address, if any

  const remembered = {
    get: name => { try { return localStorage.getItem(`sipexplain-${name}`); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(`sipexplain-${name}`, value); } catch { /* then not */ } },
  };

  // ---- Texts

  sipexplain.add = data => {
    const pages = new Map();
    for (const kind of data.kinds) {
      for (const page of kind.pages) {
        page.kind = kind.id;
        pages.set(`${kind.id}/${page.name}`.toLowerCase(), page);
      }
    }
    const near = new Map(data.unregistered.near);
    loaded.set(data.lang, { data, pages, near, index: sipexplain.index(data) });
  };

  const load = tag => new Promise((done, failed) => {
    if (loaded.has(tag)) return done();
    const script = document.createElement("script");
    script.src = `lang/${tag}.js`;
    script.onload = () => done();
    script.onerror = () => failed(new Error(`lang/${tag}.js`));
    document.head.append(script);
  });

  const say = (label, args = {}) => sipexplain.fill(here.data.labels[label], args);

  const filled = (value, args) => {
    if (typeof value === "string") return sipexplain.fill(value, args);
    if (Array.isArray(value)) return value.map(one => filled(one, args));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, args)]));
  };

  const unregistered = name => {
    const near = here.near.get(Number(name));
    const fits = ([digit, isNear]) => digit === Number(name[0]) && isNear === (near !== "");
    const template = near === undefined ? undefined : here.data.unregistered.pages.find(fits);
    return template && { ...filled(template[2], { code: name, near }), kind: "code" };
  };

  const pageAt = (kind, name) =>
    here.pages.get(`${kind}/${name}`.toLowerCase()) ?? (kind === "code" ? unregistered(name) : undefined);

  // What can be compared under this name: `607`, `q850:17`, `timer:B`, or a whole title.
  const named = text => {
    const [, kind, name] = /^([^:]+):(.*)$/.exec(text) ?? [];
    if (kind) return ALONE.includes(kind) ? undefined : pageAt(kind.replace(".", ""), name);
    if (text === "" || /^\d+$/.test(text)) return pageAt("code", text);
    const same = page => [page.name, page.about].some(one => one.toLowerCase() === text.toLowerCase());
    return here.data.kinds.filter(kind => !ALONE.includes(kind.id)).flatMap(kind => kind.pages).find(same);
  };

  // ---- Addresses

  const hash = (...parts) => `#/${[linked, ...parts].filter(part => part !== "").map(encodeURIComponent).join("/").replaceAll("%3A", ":")}`;
  const pathOf = page => hash(page.kind, page.name);
  const side = page => page.kind === "code" ? page.name : `${page.kind}:${page.name}`;

  const parts = () => {
    const decoded = part => { try { return decodeURIComponent(part); } catch { return part; } };
    const all = location.hash.replace(/^#\/?/, "").split("/").filter(part => part !== "").map(decoded);
    linked = tags.includes(all[0]) ? all.shift() : "";
    return all;
  };

  const wanted = () => {
    const known = tag => tags.find(one => one === tag?.toLowerCase().split("-")[0]);
    const choices = [linked, remembered.get("language"), ...navigator.languages ?? []];
    return choices.map(known).find(tag => tag) ?? FALLBACK;
  };

  // ---- Elements

  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter(child => child !== undefined && child !== ""));
    return element;
  };

  const link = (page, ...children) => make("a", { href: pathOf(page) }, ...children);

  // Citations lead to the document; what stands for something, as in `<element>`, is set apart.
  const rich = text => text.split(/(RFC \d+(?: §[\d.A-Z]*\w)?|<\w+>)/).map(part => {
    const cited = RFC.exec(part);
    if (cited) {
      const section = cited[3] ? `#section-${cited[3]}` : "";
      return make("a", { href: `https://www.rfc-editor.org/rfc/rfc${cited[2]}${section}`, rel: "noreferrer" }, part);
    }
    return /^<\w+>$/.test(part) ? make("var", {}, part) : part;
  });

  // An item of a section; those of a protocol of Reason are its causes.
  const lead = (section, text, of) => {
    const kind = section.id === "causes" ? of.name.toLowerCase().replace(".", "") : LEADS[section.id];
    const page = kind && pageAt(kind, text.split(" ")[0]);
    return page ? link(page, text) : rich(text);
  };

  const paragraph = (section, text, of) => make("p", {}, (LISTS.includes(section.id) ? text.split(", ") : [text])
    .flatMap((item, index) => [index > 0 ? ", " : "", lead(section, item, of)].flat()));

  const rows = (section, of) => {
    const short = section.rows.every(([name]) => name.length < 6);
    return make("dl", { class: short ? "short" : undefined }, section.rows.flatMap(([name, text]) => [
      make("dt", {}, lead(section, name, of)), make("dd", {}, rich(text)),
    ]));
  };

  // ---- Pages

  const shown = of => section => make("section", { "data-id": section.id },
    make("h2", {}, section.heading),
    (section.text ?? []).map(text => paragraph(section, text, of)),
    section.rows && rows(section, of));

  const sided = (section, sides) => make("section", { "data-id": section.id },
    make("h2", {}, section.heading),
    make("div", { class: "sides" }, section.rows.map(([name, text], index) => make("div", {},
      make("h3", {}, link(sides[index], name)), make("p", {}, rich(text))))));

  const table = section => {
    const [head, ...rows] = section.rows;
    const cells = (tag, row) => row.map((text, index) =>
      make(index === 0 && text !== "" ? "th" : tag, { scope: index === 0 || tag === "th" ? tag === "th" ? "col" : "row" : undefined }, text));
    return make("section", { "data-id": section.id },
      make("h2", {}, section.heading),
      make("table", {},
        make("thead", {}, make("tr", {}, make("td", {}), head.slice(1).map(text => make("th", { scope: "col" }, text)))),
        make("tbody", {}, rows.map(row => make("tr", {}, cells("td", row))))));
  };

  const kindOf = id => here.data.kinds.find(kind => kind.id === id);

  const neighbours = page => {
    const pages = kindOf(page.kind).pages;
    const place = pages.findIndex(one => one.name === page.name);
    const step = (one, before, after, rel) => one
      ? make("a", { href: pathOf(one), rel }, `${before}${one.name} ${one.about}`.trim() + after) : make("span", {});
    return place < 0 ? "" : make("nav", { class: "neighbours" },
      step(pages[place - 1], "← ", "", "prev"), step(pages[place + 1], "", " →", "next"));
  };

  const compareWith = page => {
    if (!named(side(page))) return undefined;
    const input = make("input", { id: "other", list: "codes", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "go" });
    const form = make("form", { class: "with" }, make("label", { for: "other" }, say("Compare with")), " ", input,
      make("datalist", { id: "codes" }, kindOf("code").pages.map(code => make("option", { value: code.name }, code.about))));
    form.addEventListener("submit", event => {
      event.preventDefault();
      const other = named(input.value.trim()) ?? sipexplain.find(here.index, input.value).find(one => named(side(one)));
      if (other) location.hash = hash("compare", side(page), side(other));
      else at("status").textContent = say("No page has all these words.");
    });
    return form;
  };

  const article = (page, children) => [
    make("h1", { tabindex: "-1", class: page.facts && `class-${page.facts.code[0]}` }, page.title),
    page.note ? make("p", { class: "note" }, rich(page.note)) : undefined,
    ...children,
  ];

  const columns = page => {
    const { sections } = page;
    const first = sections.findIndex(section => ASIDE.includes(section.id));
    const isAside = (section, place) => place >= first && ASIDE.includes(section.id);
    const part = (name, fits) => {
      const some = sections.filter(fits);
      return some.length ? make("div", { class: name }, some.map(shown(page))) : undefined;
    };
    if (first < 0) return sections.map(shown(page));
    return [make("div", { class: "columns" }, part("before", (_, place) => place < first), part("aside", isAside),
      part("after", (section, place) => place > first && !isAside(section, place)))];
  };

  const onePage = (kind, name) => {
    const page = pageAt(kind, name);
    return page ? { title: page.title, kind, children: article(page,
      [compareWith(page), ...columns(page), neighbours(page)]) } : missing();
  };

  const comparison = (a, b) => {
    const sides = [a, b].map(text => named(text ?? ""));
    if (!sides[0] || !sides[1]) return missing();
    const page = sipexplain.compare(here.data.compare, here.data.lang, ...sides);
    const section = one => {
      if (one.id === "differences") return table(one);
      return one.rows ? sided(one, sides) : shown(page)(one);
    };
    return { title: page.title, children: article(page, page.sections.map(section)) };
  };

  const description = page => (page.sections[0]?.text ?? [])[0] ?? "";

  const listed = page => make("li", {}, link(page,
    make("b", { class: page.facts && `class-${page.facts.code[0]}` }, page.name), " ", make("span", {}, page.about || description(page)),
    page.unregistered ? " " : undefined, page.unregistered ? make("small", {}, say("not registered")) : undefined));

  const ofKind = kind => ({ title: kind.heading, kind: kind.id, children: [
    make("h1", { tabindex: "-1" }, kind.heading),
    make("ul", { class: "list rows" }, kind.pages.map(listed)),
  ] });

  const home = () => ({ title: "", kind: "code", children: [
    make("h1", { tabindex: "-1" }, say("SIP reference")),
    make("p", { class: "note keys" }, say("Press / to search, the arrow keys to choose, Enter to open.")),
    kindOf("class").pages.flatMap(page => [
      make("h2", {}, link(page, `${page.name} ${page.about}`)),
      make("ul", { class: "list" }, kindOf("code").pages.filter(one => one.name[0] === page.name[0]).map(listed)),
    ]),
  ] });

  const missing = () => ({ title: say("There is no such page."), children: [
    make("h1", { tabindex: "-1" }, say("There is no such page.")), make("p", {}, make("code", {}, location.hash)),
  ] });

  const result = page => make("li", {},
    make("a", { href: pathOf(page) }, page.title),
    make("small", {}, kindOf(page.kind).heading),
    make("p", {}, description(page)));

  const results = text => {
    const pair = sipexplain.pair(text, named);
    const number = /^\s*(?:sip\s+)?([1-6]\d\d)\s*$/i.exec(text)?.[1];
    const found = pair ?? sipexplain.find(here.index, text);
    if (number && !here.pages.has(`code/${number}`)) found.unshift(unregistered(number));
    const both = pair && sipexplain.compare(here.data.compare, here.data.lang, ...pair);
    const first = both ? [make("li", {}, make("a", { href: hash("compare", ...pair.map(side)) }, both.title),
      make("p", {}, both.sections[0]?.text?.at(-1) ?? ""))] : [];
    const count = found.length + first.length;
    const message = count === 0 ? say("No page has all these words.") : say("Found: {count}", { count });
    at("status").textContent = message;
    return { title: text, searching: true, children: [
      make("h1", { tabindex: "-1" }, text), make("p", { class: "note" }, message),
      make("ol", { class: "results" }, first, found.slice(0, MOST).map(result)),
    ] };
  };

  // ---- What happens

  const view = ([kind, ...names]) => {
    if (kind === undefined) return home();
    if (kind === "search") return results(names.join("/"));
    if (kind === "compare") return comparison(...names);
    if (names.length === 0 && kindOf(kind)) return kind === "code" ? home() : ofKind(kindOf(kind));
    return onePage(kind, names.join("/"));
  };

  const frame = kind => {
    const name = say("SIP reference");
    const { lang } = here.data;
    document.documentElement.lang = lang;
    language.value = lang;
    document.querySelector("header").hidden = false;
    at("brand").textContent = name;
    at("brand").href = hash();
    at("skip").textContent = say("Skip to the text");
    search.placeholder = say("A code, a cause, words, or two codes");
    for (const [element, text] of [[search, say("Search")], [language, say("Language")], [at("colours"), say("Light or dark")]]) {
      element.setAttribute("aria-label", text);
      element.title = text;
    }
    at("kinds").replaceChildren(...here.data.kinds.filter(one => !one.minor).map(one =>
      make("a", { href: hash(one.id), "aria-current": one.id === kind ? "true" : undefined }, one.heading)));
    at("kinds").hidden = false;
    return name;
  };

  let turn = 0;
  const show = async () => {
    const mine = ++turn;
    const path = parts();
    let tag = wanted();
    await load(tag).catch(() => load(tag = FALLBACK));
    if (mine !== turn) return;
    here = loaded.get(tag);
    at("status").textContent = "";
    const { title, kind, searching, children } = view(path);
    const name = frame(kind);
    document.title = title ? `${title} · ${name}` : name;
    main.replaceChildren(...children.flat().filter(child => child));
    // Whoever types goes on typing; whoever followed a link is taken to what it led to.
    if (searching && document.activeElement === search) return;
    search.value = searching ? title : "";
    window.scrollTo(0, 0);
    main.querySelector("h1")?.focus({ preventScroll: true });
  };

  const go = address => { history.replaceState(null, "", address); return show(); };

  search.addEventListener("input", () => {
    const text = search.value.trim();
    const isSearch = parts()[0] === "search";
    const address = text === "" ? hash() : hash("search", text);
    if (isSearch) return go(address);
    history.pushState(null, "", address);
    return show();
  });
  at("ask").addEventListener("submit", event => {
    event.preventDefault();
    main.querySelector(".results a")?.click();
  });
  language.addEventListener("change", () => {
    const path = parts();
    linked = language.value;
    remembered.set("language", linked);
    go(hash(...path));
  });
  at("skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });

  const isDark = () => document.documentElement.dataset.colours === "dark"
    || !document.documentElement.dataset.colours && matchMedia("(prefers-color-scheme: dark)").matches;
  const colours = chosen => { if (chosen === "dark" || chosen === "light") document.documentElement.dataset.colours = chosen; };
  colours(remembered.get("colours"));
  at("colours").addEventListener("click", () => {
    colours(isDark() ? "light" : "dark");
    remembered.set("colours", document.documentElement.dataset.colours);
  });

  document.addEventListener("keydown", event => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    const links = [...main.querySelectorAll(".results a")];
    const place = links.indexOf(document.activeElement);
    if (links.length === 0 || place < 0 && document.activeElement !== search) return;
    const next = { ArrowDown: place + 1, ArrowUp: place - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    (next < 0 ? search : links[Math.min(next, links.length - 1)]).focus();
  });

  window.addEventListener("hashchange", show);
  show();
})();
