using System.Buffers.Binary;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A safetensors file (https://github.com/huggingface/safetensors): 8 bytes of header length, a JSON header, the
/// data. Checked whole at opening; tensors are views of the file. F32, F16 and BF16 can be read, other types are
/// listed. The format promises no alignment: a tensor may start at any byte.
/// </summary>
internal sealed class SafetensorsFile : IDisposable
{
    public const int HeaderBytes = 100_000_000;

    private const int LengthBytes = 8;

    private readonly FileImage _image;
    private readonly Dictionary<string, Entry> _entries;
    private readonly long _dataOffset;

    private SafetensorsFile(FileImage image)
    {
        _image = image;
        ReadOnlySpan<byte> header = FindHeader(image);
        _dataOffset = LengthBytes + header.Length;
        _entries = new SafetensorsHeader(image.Path, header, image.Length - _dataOffset).Read();
    }

    /// <summary>A tensor as the header describes it.</summary>
    /// <param name="Name">Name, as in the file.</param>
    /// <param name="Type">Element type, as in the file.</param>
    /// <param name="Shape">Sizes, outermost first; none for a single number.</param>
    /// <param name="Start">First byte, counted from the start of the data.</param>
    /// <param name="ByteLength">Stored bytes.</param>
    public sealed record Entry(string Name, string Type, long[] Shape, long Start, long ByteLength)
    {
        /// <summary>The format, or null where this engine cannot compute with the type.</summary>
        public TensorFormat? Format => Type switch
        {
            "F32" => TensorFormat.F32,
            "F16" => TensorFormat.F16,
            "BF16" => TensorFormat.BF16,
            _ => null,
        };
    }

    public string Path => _image.Path;

    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    internal FileImage Image => _image;

    /// <exception cref="ModelFormatException">The file is damaged or hostile.</exception>
    public static SafetensorsFile Open(string path, bool mapped = true) => Open(FileImage.Open(path, mapped));

    public static SafetensorsFile Open(FileImage image)
    {
        try
        {
            return new SafetensorsFile(image);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>The tensor [rows, columns]; outer dimensions are folded into rows.</summary>
    /// <exception cref="ModelFormatException">A type this engine cannot compute with, or another shape.</exception>
    public Tensor Read(Entry entry, int rows, int columns)
    {
        TensorFormat format = entry.Format
            ?? throw new ModelFormatException($"{Path}: tensor {entry.Name} is stored as {entry.Type}, which is not supported yet");
        UInt128 elements = (UInt128)(ulong)rows * (ulong)columns;
        if (rows < 0 || columns < 0 || (entry.Shape.Length > 0 && entry.Shape[^1] != columns)
            || elements * (ulong)FormatInfo.BlockBytes(format) != (ulong)entry.ByteLength)
        {
            throw new ModelFormatException(
                $"{Path}: tensor {entry.Name} is [{string.Join(", ", entry.Shape)}], not [{rows}, {columns}] as the settings say");
        }

        return _image.View(_dataOffset + entry.Start, format, rows, columns);
    }

    /// <summary>Stored bytes of a tensor of any type, counted from its first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all in the tensor.</exception>
    public ReadOnlySpan<byte> Bytes(Entry entry, long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, entry.ByteLength - count);
        return _image.Slice(_dataOffset + entry.Start + start, count);
    }

    public void Dispose() => _image.Dispose();

    private static ReadOnlySpan<byte> FindHeader(FileImage image)
    {
        if (image.Length < LengthBytes + 2)
            throw new ModelFormatException($"{image.Path}: {image.Length} bytes are too few for a safetensors file");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(image.Slice(0, LengthBytes));
        if (length > HeaderBytes)
            throw new ModelFormatException($"{image.Path}: header length at offset 0: {length} is more than the limit of {HeaderBytes}");
        if (length > (ulong)(image.Length - LengthBytes))
            throw new ModelFormatException($"{image.Path}: header length at offset 0: {length}, but {image.Length - LengthBytes} bytes are left");
        ReadOnlySpan<byte> header = image.Slice(LengthBytes, (int)length);
        return !header.IsEmpty && header[0] == '{'
            ? header
            : throw new ModelFormatException($"{image.Path}: header at offset {LengthBytes}: it does not start with a brace; no safetensors file");
    }
}
