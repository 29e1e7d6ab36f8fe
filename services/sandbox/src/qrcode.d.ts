/** The part of `qrcode` that we use; the package ships no types. */
declare module 'qrcode' {
  const QRCode: {
    toString(
      text: string,
      options: { readonly type: 'svg' | 'utf8' | 'terminal'; readonly margin?: number; readonly small?: boolean },
    ): Promise<string>;
  };
  export default QRCode;
}
