using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Polymath.Training;

/// <summary>A stretch of a document.</summary>
/// <param name="Text">At most about a million characters.</param>
/// <param name="EndsDocument">True when the document ends with it.</param>
public readonly record struct TextPiece(string Text, bool EndsDocument);

/// <summary>
/// Plain text files, or gzipped ones (told by their first bytes), read as a stream of pieces. A file is one document;
/// a line <c>&lt;|endoftext|&gt;</c> inside it ends one and starts the next. Memory does not grow with the files.
/// </summary>
public sealed class TextCorpus
{
    /// <summary>What separates documents inside a file.</summary>
    public const string Separator = "<|endoftext|>";

    private const int PieceLength = 1 << 20;

    private readonly IReadOnlyList<string> _files;
    private readonly long _maxBytes;
    private long _bytes;

    /// <summary>Names the files; they are opened by <see cref="Read"/>.</summary>
    /// <param name="files">Paths.</param>
    /// <param name="maxBytes">Most bytes of text in all files together, after inflating.</param>
    public TextCorpus(IReadOnlyList<string> files, long maxBytes)
    {
        ArgumentNullException.ThrowIfNull(files);
        _files = files;
        _maxBytes = maxBytes;
    }

    /// <summary>Bytes of text read by the last <see cref="Read"/>.</summary>
    public long Bytes => _bytes;

    /// <summary>Byte sequences that were not valid UTF-8 and became U+FFFD in the last <see cref="Read"/>.</summary>
    public long InvalidSequences { get; private set; }

    /// <summary>Reads all files from the start, in order.</summary>
    /// <exception cref="TrainingException">A file is missing, damaged or too large.</exception>
    public IEnumerable<TextPiece> Read()
    {
        _bytes = 0;
        InvalidSequences = 0;
        foreach (string file in _files)
        {
            foreach (TextPiece piece in ReadFile(file))
                yield return piece;
        }
    }

    private IEnumerable<TextPiece> ReadFile(string path)
    {
        var invalid = new CountingFallback();
        using BoundedStream stream = Open(path);
        using var reader = new StreamReader(
            stream, Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, invalid),
            detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16);
        char[] buffer = new char[PieceLength + Separator.Length];
        int held = 0;
        bool first = true, inDocument = false;
        for (bool more = true; more;)
        {
            int count = Fill(path, reader, buffer.AsSpan(held));
            more = count == buffer.Length - held;
            held += count;
            int start = 0;
            if (first && held > 0 && buffer[0] == '\uFEFF')
                start = 1;
            first = false;
            for (int at; (at = buffer.AsSpan(start, held - start).IndexOf(Separator)) >= 0; start += at + Separator.Length)
            {
                string document = Trim(buffer.AsSpan(start, at), atStart: !inDocument, atEnd: true);
                if (document.Length > 0 || inDocument)
                    yield return new TextPiece(document, EndsDocument: true);
                inDocument = false;
            }

            if (more && held - start > PieceLength / 2)
            {
                int cut = CutAt(buffer, start, held - Separator.Length);
                string text = Trim(buffer.AsSpan(start, cut - start), atStart: !inDocument, atEnd: false);
                if (text.Length > 0)
                {
                    yield return new TextPiece(text, EndsDocument: false);
                    inDocument = true;
                }

                start = cut;
            }
            else if (!more)
            {
                string document = Trim(buffer.AsSpan(start, held - start), atStart: !inDocument, atEnd: true);
                if (document.Length > 0 || inDocument)
                    yield return new TextPiece(document, EndsDocument: true);
            }

            held -= start;
            buffer.AsSpan(start, held).CopyTo(buffer);
        }

        InvalidSequences += invalid.Count;
    }

    private static int Fill(string path, StreamReader reader, Span<char> free)
    {
        try
        {
            return reader.ReadBlock(free);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new TrainingException($"{path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>A place before <paramref name="end"/> where tokenizing apart changes least: the start of a line that starts with a word.</summary>
    private static int CutAt(char[] text, int start, int end)
    {
        for (int i = end - 1; i > start + ((end - start) / 2); i--)
        {
            if (text[i - 1] == '\n' && !char.IsWhiteSpace(text[i]))
                return i;
        }

        return char.IsLowSurrogate(text[end]) ? end - 1 : end;
    }

    private static string Trim(ReadOnlySpan<char> text, bool atStart, bool atEnd)
    {
        if (atStart)
            text = text.TrimStart("\r\n");
        if (atEnd)
            text = text.TrimEnd("\r\n");
        return text.ToString();
    }

    private BoundedStream Open(string path)
    {
        FileStream? file = null;
        try
        {
            if (!File.Exists(path))
                throw new TrainingException($"{path}: {(Directory.Exists(path) ? "is a folder, not a text file" : "no such file")}");
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            bool zipped = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            uint declared = zipped ? DeclaredLength(file) : 0;
            file.Position = 0;
            return new BoundedStream(this, path, zipped ? new GZipStream(file, CompressionMode.Decompress) : file, declared);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new TrainingException($"{path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>
    /// The last four bytes of a gzip file: the length, modulo 2^32, of what its last member inflates to. GZipStream takes
    /// a file that was cut off for a short one; this tells them apart nearly always.
    /// </summary>
    private static uint DeclaredLength(FileStream file)
    {
        Span<byte> last = stackalloc byte[sizeof(uint)];
        file.Position = Math.Max(0, file.Length - last.Length);
        return file.ReadAtLeast(last, last.Length, throwOnEndOfStream: false) == last.Length
            ? BinaryPrimitives.ReadUInt32LittleEndian(last) : uint.MaxValue;
    }

    /// <summary>Counts the bytes handed out, for all files together, and stops at the limit: a small gzip file can hold terabytes.</summary>
    private sealed class BoundedStream(TextCorpus corpus, string path, Stream inner, uint declared) : Stream
    {
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int count = inner.Read(buffer);
            corpus._bytes += count;
            _read += count;
            if (count == 0 && buffer.Length > 0 && _read < declared)
                throw new TrainingException($"{path}: the file is cut off: {_read} of {declared} bytes of text");
            return corpus._bytes <= corpus._maxBytes
                ? count
                : throw new TrainingException($"{path}: the data holds more than {corpus._maxBytes} bytes of text");
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>Replaces what is not UTF-8 by U+FFFD and counts how often.</summary>
    private sealed class CountingFallback : DecoderFallback
    {
        public long Count { get; private set; }

        public override int MaxCharCount => 1;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Replacement(this);

        private sealed class Replacement(CountingFallback owner) : DecoderFallbackBuffer
        {
            private bool _waiting;

            public override int Remaining => _waiting ? 1 : 0;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                owner.Count++;
                _waiting = true;
                return true;
            }

            public override char GetNextChar()
            {
                if (!_waiting)
                    return '\0';
                _waiting = false;
                return '\uFFFD';
            }

            public override bool MovePrevious() => false;
        }
    }
}
