using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Polymath.Cli;

/// <summary>How vectors are written.</summary>
internal enum VectorFormat
{
    /// <summary>A JSON object with index and embedding on each line.</summary>
    JsonLines,

    /// <summary>One JSON array of such objects.</summary>
    Json,

    /// <summary>The numbers of a vector on a line, with commas between.</summary>
    Csv,

    /// <summary>NumPy's format, version 1.0: an array of F32 [texts, dimensions].</summary>
    Npy,
}

/// <summary>Writes vectors as they come; each number as the shortest text that reads back to the same bits, or as those bits.</summary>
internal sealed class VectorWriter
{
    private const int HeadUnit = 64;   // bytes that NumPy aligns its data to

    private readonly Stream _output;
    private readonly VectorFormat _format;
    private readonly int _count;
    private int _done;

    /// <summary>Writes what stands before the first vector.</summary>
    /// <param name="output">Where to; best one with a buffer.</param>
    /// <param name="format">How.</param>
    /// <param name="count">How many vectors there will be.</param>
    /// <param name="dimensions">Numbers of each.</param>
    public VectorWriter(Stream output, VectorFormat format, int count, int dimensions)
    {
        _output = output;
        _format = format;
        _count = count;
        if (format == VectorFormat.Json)
            output.WriteByte((byte)'[');
        if (format == VectorFormat.Npy)
            output.Write(NpyHead(count, dimensions));
    }

    /// <summary>Writes the next vector.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        switch (_format)
        {
            case VectorFormat.Csv:
                WriteCsv(vector);
                break;
            case VectorFormat.Npy:
                Span<byte> bytes = stackalloc byte[sizeof(float)];
                foreach (float value in vector)
                {
                    BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                    _output.Write(bytes);
                }

                break;
            default:
                WriteJson(vector);
                break;
        }

        _done++;
    }

    private void WriteJson(ReadOnlySpan<float> vector)
    {
        using (var writer = new Utf8JsonWriter(_output))
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", _done);
            writer.WriteNumbers("embedding", vector);
            writer.WriteEndObject();
        }

        _output.Write(_format == VectorFormat.JsonLines ? "\n"u8 : _done < _count - 1 ? ",\n"u8 : "]\n"u8);
    }

    private void WriteCsv(ReadOnlySpan<float> vector)
    {
        Span<byte> text = stackalloc byte[32];
        for (int i = 0; i < vector.Length; i++)
        {
            if (i > 0)
                _output.WriteByte((byte)',');
            _ = vector[i].TryFormat(text, out int length, provider: CultureInfo.InvariantCulture);
            _output.Write(text[..length]);
        }

        _output.WriteByte((byte)'\n');
    }

    /// <summary>Magic, version 1.0, length, and a Python dictionary that ends with spaces and a line break.</summary>
    private static byte[] NpyHead(int count, int dimensions)
    {
        const int Fixed = 10;   // bytes before the dictionary
        string text = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {dimensions}), }}");
        int length = ((Fixed + text.Length + 1 + HeadUnit - 1) / HeadUnit * HeadUnit) - Fixed;
        var head = new byte[Fixed + length];
        ReadOnlySpan<byte> magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];
        magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(8), (ushort)length);
        Encoding.ASCII.GetBytes(text.PadRight(length - 1) + '\n', head.AsSpan(Fixed));
        return head;
    }
}
