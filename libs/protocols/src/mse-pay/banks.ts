/** The banks that companies pay through, by the short names of the wire. */
export const banks = {
  BOCOM: '交通银行',
  CITIC: '中信银行',
  BOC: '中国银行',
  SPDB: '浦发银行',
  PAB: '平安银行',
  ICBC: '中国工商银行',
  CMB: '招商银行',
  CIB: '兴业银行',
  CEB: '中国光大银行',
  CCB: '中国建设银行',
  ABC: '中国农业银行',
} as const;
export type BankSname = keyof typeof banks;
export const isBank = (sname: string | undefined): sname is BankSname => sname !== undefined && Object.hasOwn(banks, sname);
