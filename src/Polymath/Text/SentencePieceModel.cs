using System.Buffers.Binary;
using System.Text;
using Polymath.Files;

namespace Polymath.Text;

/// <summary>
/// Reads SentencePiece's tokenizer.model, a protocol buffer: field 1 the pieces (text, score, kind), field 2 how it was
/// trained (kind of model 3, ids 40 to 43), field 3 what happens to texts (map 2, space in front 3, spaces merged 4).
/// </summary>
internal static class SentencePieceModel
{
    private const int MostBytes = 64 << 20;
    private const int MostPieces = 1 << 22;
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>The vocabulary under the keys of a GGUF file.</summary>
    /// <exception cref="ModelFormatException">Damaged, too large, or of another kind than unigram and BPE.</exception>
    public static Metadata Load(string path)
    {
        using FileStream stream = File.OpenRead(path);
        if (stream.Length > MostBytes)
            throw new ModelFormatException($"{path}: {stream.Length} bytes; {MostBytes} are allowed");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Parse(bytes, path);
    }

    /// <summary>The same from the contents of a file.</summary>
    public static Metadata Parse(ReadOnlySpan<byte> bytes, string file)
    {
        List<string> texts = [];
        List<float> scores = [];
        List<int> kinds = [];
        var training = new Dictionary<int, long>();
        var texting = new Dictionary<int, long>();
        byte[] map = [];
        var fields = new Fields(bytes, file);
        while (fields.MoveNext())
        {
            if (fields.Number == 1)
                AddPiece(fields.Bytes, file, texts, scores, kinds);
            else if (fields.Number is 2 or 3)
                map = ReadNumbers(fields.Bytes, file, fields.Number == 2 ? training : texting) ?? map;
            if (texts.Count > MostPieces)
                throw new ModelFormatException($"{file}: more than {MostPieces} pieces");
        }

        long kind = training.GetValueOrDefault(3, 1);
        var metadata = new Metadata();
        metadata.Set(Prefix + "model", kind switch
        {
            1 => "t5",
            2 => "llama",
            _ => throw new ModelFormatException($"{file}: SentencePiece models of kind {kind} are not supported; unigram and BPE are"),
        });
        metadata.Set(Prefix + "tokens", texts.ToArray());
        metadata.Set(Prefix + "scores", scores.ToArray());
        metadata.Set(Prefix + "token_type", kinds.ToArray());
        metadata.Set(Prefix + "add_space_prefix", texting.GetValueOrDefault(3, 1) != 0);
        metadata.Set(Prefix + "remove_extra_whitespaces", texting.GetValueOrDefault(4, 1) != 0);
        if (map.Length > 0 && kind == 1)
            metadata.Set(Prefix + "precompiled_charsmap", map);
        SetId(metadata, "unknown_token_id", training.GetValueOrDefault(40, 0));
        SetId(metadata, "bos_token_id", training.GetValueOrDefault(41, 1));
        SetId(metadata, "eos_token_id", training.GetValueOrDefault(42, 2));
        SetId(metadata, "padding_token_id", training.GetValueOrDefault(43, -1));
        return metadata;
    }

    private static void SetId(Metadata metadata, string key, long id)
    {
        if ((int)id >= 0)
            metadata.Set(Prefix + key, (uint)(int)id);
    }

    private static void AddPiece(ReadOnlySpan<byte> bytes, string file, List<string> texts, List<float> scores, List<int> kinds)
    {
        string text = "";
        float score = 0;
        int kind = 1;
        var fields = new Fields(bytes, file);
        while (fields.MoveNext())
        {
            if (fields.Number == 1 && fields.Wire == 2)
                text = Encoding.UTF8.GetString(fields.Bytes);
            else if (fields.Number == 2 && fields.Wire == 5)
                score = BinaryPrimitives.ReadSingleLittleEndian(fields.Bytes);
            else if (fields.Number == 3 && fields.Wire == 0)
                kind = (int)fields.Value;
        }

        texts.Add(text);
        scores.Add(score);
        kinds.Add(kind);
    }

    /// <summary>The numbers of a message by field; returns its field 2 where that is bytes.</summary>
    private static byte[]? ReadNumbers(ReadOnlySpan<byte> bytes, string file, Dictionary<int, long> numbers)
    {
        byte[]? second = null;
        var fields = new Fields(bytes, file);
        while (fields.MoveNext())
        {
            if (fields.Wire == 0)
                numbers[fields.Number] = fields.Value;
            else if (fields.Number == 2 && fields.Wire == 2)
                second = fields.Bytes.ToArray();
        }

        return second;
    }

    /// <summary>Goes through the fields of a message, each checked against the bytes that are there.</summary>
    private ref struct Fields(ReadOnlySpan<byte> bytes, string file)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public int Number { get; private set; }

        public int Wire { get; private set; }

        public long Value { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty)
                return false;
            ulong tag = Varint();
            Number = (int)Math.Min(tag >> 3, int.MaxValue);
            Wire = (int)(tag & 7);
            Value = 0;
            Bytes = default;
            switch (Wire)
            {
                case 0:
                    Value = (long)Varint();
                    break;
                case 1 or 2 or 5:
                    ulong length = Wire == 2 ? Varint() : Wire == 1 ? 8u : 4u;
                    if (length > (ulong)_rest.Length)
                        throw Wrong($"field {Number} has {length} bytes, but {_rest.Length} are left");
                    Bytes = _rest[..(int)length];
                    _rest = _rest[(int)length..];
                    break;
                default:
                    throw Wrong($"field {Number} is of wire type {Wire}");
            }

            return true;
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (int i = 0; i < 10; i++)
            {
                if (i >= _rest.Length)
                    throw Wrong("it ends in the middle of a number");
                value |= (ulong)(_rest[i] & 0x7F) << (7 * i);
                if (_rest[i] < 0x80)
                {
                    _rest = _rest[(i + 1)..];
                    return value;
                }
            }

            throw Wrong("a number of more than ten bytes");
        }

        private readonly ModelFormatException Wrong(string what) => new($"{file}: no SentencePiece model: {what}");
    }
}
