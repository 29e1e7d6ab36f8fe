import { z } from 'zod';

/** The banks that a company can pay by through 商企付. */
export const BankCode = z.enum(['BOCOM', 'CITIC', 'BOC', 'SPDB', 'PAB', 'ICBC', 'CMB', 'CIB', 'CEB', 'CCB', 'ABC']);
export type BankCode = z.infer<typeof BankCode>;

export const bankNames: Readonly<Record<BankCode, string>> = {
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
};

export const isBank = (code: string | undefined): code is BankCode => BankCode.safeParse(code).success;
