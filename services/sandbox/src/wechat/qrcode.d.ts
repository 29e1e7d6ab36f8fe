/** The part of `qrcode` that the sandbox uses; the package ships no types. */
declare module 'qrcode' {
  const QRCode: {
    toString(
      text: string,
      options: { readonly type: 'svg' | 'utf8' | 'terminal'; readonly margin?: number; readonly small?: boolean },
    ): Promise<string>;
  };
  export default QRCode;
}
