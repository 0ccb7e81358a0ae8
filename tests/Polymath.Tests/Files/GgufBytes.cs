using System.Text;
using Polymath.Files;

namespace Polymath.Tests.Files;

/// <summary>
/// Puts GGUF files together by hand, right or wrong, without the code under test. Remembers where counts, lengths,
/// types and offsets stand, so that mutations can aim at them.
/// </summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];
    private readonly List<int> _fields = [];

    /// <summary>Offsets of the 4- and 8-byte numbers that say how much follows.</summary>
    public IReadOnlyList<int> Fields => _fields;

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    public GgufBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes U32(uint value)
    {
        _fields.Add(Length);
        return Raw(BitConverter.GetBytes(value));
    }

    public GgufBytes U64(ulong value)
    {
        _fields.Add(Length);
        return Raw(BitConverter.GetBytes(value));
    }

    public GgufBytes Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    public GgufBytes Text(byte[] utf8) => U64((ulong)utf8.Length).Raw(utf8);

    public GgufBytes Head(ulong tensors, ulong keys, uint version = 3) => Raw("GGUF"u8).U32(version).U64(tensors).U64(keys);

    public GgufBytes Key(string key, MetadataType type) => Text(key).U32((uint)type);

    public GgufBytes ArrayOf(MetadataType type, ulong count) => U32((uint)type).U64(count);

    public GgufBytes Tensor(string name, uint format, ulong offset, params ulong[] sizes)
    {
        Text(name).U32((uint)sizes.Length);
        foreach (ulong size in sizes)
            U64(size);
        return U32(format).U64(offset);
    }

    public GgufBytes Pad(int alignment = 32)
    {
        while (Length % alignment != 0)
            Raw(0);
        return this;
    }

    /// <summary>Bytes 1, 2, 3, … so that a shifted read is seen.</summary>
    public GgufBytes Data(int count)
    {
        for (int i = 1; i <= count; i++)
            Raw((byte)i);
        return this;
    }

    /// <summary>A valid file with every metadata type, nested arrays and six tensors, two of them in formats only listed.</summary>
    public static GgufBytes Everything(int alignment = 32, uint version = 3)
    {
        var file = new GgufBytes();
        file.Head(6, 18, version)
            .Key("general.architecture", MetadataType.String).Text("llama")
            .Key("general.alignment", MetadataType.UInt32).U32((uint)alignment)
            .Key("a.u8", MetadataType.UInt8).Raw(200)
            .Key("a.i8", MetadataType.Int8).Raw(0x85)
            .Key("a.u16", MetadataType.UInt16).Raw(0xFE, 0xFF)
            .Key("a.i16", MetadataType.Int16).Raw(0xFE, 0xFF)
            .Key("a.i32", MetadataType.Int32).U32(0xFFFFFFFE)
            .Key("a.f32", MetadataType.Float32).Raw(BitConverter.GetBytes(1.5f))
            .Key("a.bool", MetadataType.Bool).Raw(1)
            .Key("a.u64", MetadataType.UInt64).U64(ulong.MaxValue)
            .Key("a.i64", MetadataType.Int64).U64(ulong.MaxValue)
            .Key("a.f64", MetadataType.Float64).Raw(BitConverter.GetBytes(-2.25))
            .Key("b.empty", MetadataType.String).Text("")
            .Key("b.strings", MetadataType.Array).ArrayOf(MetadataType.String, 3).Text("가나").Text("").Text("\0x")
            .Key("b.floats", MetadataType.Array).ArrayOf(MetadataType.Float32, 2).Raw(BitConverter.GetBytes(0.5))
            .Key("b.bools", MetadataType.Array).ArrayOf(MetadataType.Bool, 3).Raw(1, 0, 1)
            .Key("b.none", MetadataType.Array).ArrayOf(MetadataType.UInt16, 0)
            .Key("b.nested", MetadataType.Array).ArrayOf(MetadataType.Array, 2)
            .ArrayOf(MetadataType.Int32, 2).Raw(BitConverter.GetBytes(7L)).ArrayOf(MetadataType.Array, 1).ArrayOf(MetadataType.String, 1).Text("deep");
        int[] bytes = [4 * 6, 2 * 5, 18 * 2, 34, 292, 2 * 24];
        ulong at = 0;
        ulong Next(int i)
        {
            ulong here = at;
            at = (at + (ulong)bytes[i] + (ulong)alignment - 1) / (ulong)alignment * (ulong)alignment;
            return here;
        }

        file.Tensor("f32", 0, Next(0), 3, 2).Tensor("f16", 1, Next(1), 5).Tensor("q4_0", 2, Next(2), 32, 2)
            .Tensor("q8_0", 8, Next(3), 32, 1).Tensor("q8_k", 15, Next(4), 256).Tensor("bf16", 30, Next(5), 2, 3, 2, 2);
        foreach (int length in bytes)
            file.Pad(alignment).Data(length);
        return file;
    }
}
