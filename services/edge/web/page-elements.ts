type ElementType<Kind extends HTMLElement> = new () => Kind;

/** An element that the server's page holds. Throws when page and script do not fit together. */
export function element<Kind extends HTMLElement>(id: string, kind: ElementType<Kind>): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

/** Department, or department and three digits (two overseas). The server has the last word; this catches slips. */
const SHAPE = /^(?:(?:0[1-9]|[13-8]\d|2[1-9AB]|9[0-5])(?:\d{3})?|(?:97[1-8]|98[4-8])(?:\d{2})?)$/;

/** `2A004` from what was typed, or undefined when it has not the shape of an INSEE code. */
export function typedCode(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  return SHAPE.test(code) ? code : undefined;
}

function areaInputs(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>('#areas input')];
}

/** Codes and names of the places that are ticked. */
export function chosenAreas(): { code: string; name: string }[] {
  return areaInputs()
    .filter((input) => input.checked)
    .map((input) => ({
      code: input.value,
      name: input.nextElementSibling?.textContent ?? input.value,
    }));
}

/** Ticks a place; one that is not offered yet is added to the choices. */
export function chooseArea(code: string): HTMLInputElement {
  const known = areaInputs().find((input) => input.value === code);
  if (known) {
    known.checked = true;
    return known;
  }
  const input = document.createElement('input');
  input.type = 'checkbox';
  input.name = 'area';
  input.value = code;
  input.checked = true;
  const name = document.createElement('span');
  name.textContent = code;
  const label = document.createElement('label');
  label.className = 'chip';
  label.append(input, name);
  element('areas', HTMLElement).append(label);
  return input;
}
