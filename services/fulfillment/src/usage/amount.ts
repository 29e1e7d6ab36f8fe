/** Decimals as providers write them: no sign, up to six places. Kept as text, because they are the provider's figures and not ours. */

const shape = /^\d{1,15}(\.\d{1,6})?$/;
const places = 6;

export const isAmount = (text: string): boolean => shape.test(text);

function scaled(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(places, '0'));
}

/** What is left of a total, exactly; never less than nothing, because who has used more has nothing left. */
export function leftOf(total: string, used: string): string {
  const left = scaled(total) - scaled(used);
  if (left <= 0n) return '0';
  const digits = String(left).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return `${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`;
}
