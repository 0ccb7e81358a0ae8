using System.Runtime.InteropServices;
using System.Text;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// Writes GGUF v3 files, whole or not at all. The same input always gives the same bytes: keys and tensors in the
/// order given, tensors packed at the alignment that general.alignment asks for (32 without it), zeros between.
/// </summary>
public static class GgufWriter
{
    private const uint Magic = 0x46554747;   // "GGUF"
    private const uint Version = 3;
    private const int Chunk = 1 << 24;

    /// <summary>A tensor to write. Its elements are made when their turn comes, so that a file may be larger than the memory.</summary>
    /// <param name="Name">GGUF tensor name.</param>
    /// <param name="Dimensions">Sizes in GGUF order, the row length first.</param>
    /// <param name="Format">Format of the elements.</param>
    /// <param name="Rows">All dimensions but the first, multiplied.</param>
    /// <param name="Columns">The first dimension.</param>
    /// <param name="Elements">Makes the elements [rows, columns]; called once.</param>
    public sealed record Entry(
        string Name, IReadOnlyList<long> Dimensions, TensorFormat Format, int Rows, int Columns, Func<Tensor> Elements)
    {
        /// <summary>A tensor whose elements are there already.</summary>
        public Entry(string name, IReadOnlyList<long> dimensions, Tensor value)
            : this(name, dimensions, value.Format, value.Rows, value.Columns, () => value)
        {
        }

        internal long ByteLength => checked(FormatInfo.RowBytes(Format, Columns) * Rows);
    }

    /// <summary>Writes beside <paramref name="path"/> under a temporary name, flushes and renames.</summary>
    /// <exception cref="ArgumentException">A name, value or shape that no reader would take; nothing is written.</exception>
    /// <exception cref="IOException">The file cannot be written; what was at <paramref name="path"/> is still there.</exception>
    public static void Write(string path, Metadata metadata, IReadOnlyList<Entry> tensors)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(tensors);
        int alignment = Check(metadata, tensors);
        AtomicFile.Write(path, stream => Write(stream, metadata, tensors, alignment));
    }

    /// <summary>Writes the bytes of the file to a stream that knows its position.</summary>
    internal static void Write(Stream stream, Metadata metadata, IReadOnlyList<Entry> tensors) =>
        Write(stream, metadata, tensors, Check(metadata, tensors));

    private static void Write(Stream stream, Metadata metadata, IReadOnlyList<Entry> tensors, int alignment)
    {
        long start = WriteHead(stream, metadata, tensors, alignment);
        long position = Pad(stream, start, alignment);
        foreach (Entry tensor in tensors)
        {
            WriteData(stream, tensor);
            position = Pad(stream, position + tensor.ByteLength, alignment);
        }
    }

    private static long WriteHead(Stream stream, Metadata metadata, IReadOnlyList<Entry> tensors, int alignment)
    {
        long start = stream.Position;
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach ((string key, MetadataValue value) in metadata)
        {
            WriteString(writer, key);
            writer.Write((uint)value.Type);
            WriteValue(writer, value.Type, value.Value, value.ElementType);
        }

        long offset = 0;
        foreach (Entry tensor in tensors)
        {
            WriteString(writer, tensor.Name);
            writer.Write((uint)tensor.Dimensions.Count);
            foreach (long size in tensor.Dimensions)
                writer.Write((ulong)size);
            writer.Write((uint)tensor.Format);
            writer.Write((ulong)offset);
            offset = Aligned(checked(offset + tensor.ByteLength), alignment);
        }

        writer.Flush();
        return stream.Position - start;
    }

    private static void WriteValue(BinaryWriter writer, MetadataType type, object value, MetadataType elementType)
    {
        switch (type)
        {
            case MetadataType.UInt8: writer.Write((byte)value); break;
            case MetadataType.Int8: writer.Write((sbyte)value); break;
            case MetadataType.UInt16: writer.Write((ushort)value); break;
            case MetadataType.Int16: writer.Write((short)value); break;
            case MetadataType.UInt32: writer.Write((uint)value); break;
            case MetadataType.Int32: writer.Write((int)value); break;
            case MetadataType.Float32: writer.Write((float)value); break;
            case MetadataType.Bool: writer.Write((bool)value); break;
            case MetadataType.String: WriteString(writer, (string)value); break;
            case MetadataType.UInt64: writer.Write((ulong)value); break;
            case MetadataType.Int64: writer.Write((long)value); break;
            case MetadataType.Float64: writer.Write((double)value); break;
            default: WriteArray(writer, (Array)value, elementType); break;
        }
    }

    private static void WriteArray(BinaryWriter writer, Array values, MetadataType type)
    {
        writer.Write((uint)type);
        writer.Write((ulong)values.Length);
        switch (values)
        {
            case MetadataValue[] arrays:
                foreach (MetadataValue array in arrays)
                    WriteValue(writer, MetadataType.Array, array.Value, array.ElementType);
                break;
            case string[] strings:
                foreach (string text in strings)
                    WriteString(writer, text);
                break;
            case bool[] bools:
                foreach (bool value in bools)
                    writer.Write(value);
                break;
            default:
                writer.Write(MemoryMarshal.CreateReadOnlySpan(
                    ref MemoryMarshal.GetArrayDataReference(values), Buffer.ByteLength(values)));
                break;
        }
    }

    private static void WriteString(BinaryWriter writer, string text)
    {
        byte[] utf8 = FileLimits.StrictUtf8.GetBytes(text);
        writer.Write((ulong)utf8.Length);
        writer.Write(utf8);
    }

    private static unsafe void WriteData(Stream stream, Entry entry)
    {
        Tensor tensor = entry.Elements();
        Require(
            tensor.Format == entry.Format && tensor.Rows == entry.Rows && tensor.Columns == entry.Columns,
            $"tensor {entry.Name}: {tensor} came where {entry.Format} [{entry.Rows}, {entry.Columns}] was announced");
        long length = tensor.ByteLength;
        for (long at = 0; at < length; at += Chunk)
            stream.Write(new ReadOnlySpan<byte>(tensor.Data + at, (int)Math.Min(Chunk, length - at)));
        tensor.KeepAlive();
    }

    private static long Pad(Stream stream, long position, int alignment)
    {
        long target = Aligned(position, alignment);
        if (target > position)
            stream.Write(new byte[target - position]);
        return target;
    }

    private static long Aligned(long position, int alignment) => checked(position + alignment - 1) / alignment * alignment;

    private static int Check(Metadata metadata, IReadOnlyList<Entry> tensors)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("model files are little-endian; big-endian machines are not supported");
        Require(metadata.Count <= FileLimits.Keys, $"{metadata.Count} metadata keys; the limit is {FileLimits.Keys}");
        Require(tensors.Count <= FileLimits.Tensors, $"{tensors.Count} tensors; the limit is {FileLimits.Tensors}");
        foreach ((string key, MetadataValue value) in metadata)
        {
            CheckName("metadata key", key, FileLimits.KeyBytes);
            CheckValue(key, value, 0);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Entry tensor in tensors)
        {
            CheckName("tensor name", tensor.Name, FileLimits.TensorNameBytes);
            Require(names.Add(tensor.Name), $"two tensors are named {FileLimits.Printable(tensor.Name)}");
            CheckShape(tensor);
        }

        if (!metadata.TryGet("general.alignment", out MetadataValue? alignment))
            return FileLimits.DefaultAlignment;
        Require(
            alignment.Value is uint stored && FileLimits.IsAlignment(stored),
            $"general.alignment is no UInt32 power of two up to {FileLimits.Alignment}");
        return (int)(uint)alignment.Value;
    }

    private static void CheckShape(Entry tensor)
    {
        IReadOnlyList<long> sizes = tensor.Dimensions;
        Require(sizes.Count is >= 1 and <= FileLimits.Dimensions, $"tensor {tensor.Name} has {sizes.Count} dimensions");
        UInt128 rows = 1;
        for (int i = 0; i < sizes.Count; i++)
        {
            Require(sizes[i] is >= 1 and <= FileLimits.DimensionSize, $"tensor {tensor.Name}: dimension {i} is {sizes[i]}");
            if (i > 0)
                rows *= (ulong)sizes[i];
        }

        Require(
            sizes[0] == tensor.Columns && rows == (ulong)tensor.Rows,
            $"tensor {tensor.Name}: the elements are {tensor.Format} [{tensor.Rows}, {tensor.Columns}], the dimensions are {string.Join(" x ", sizes)}");
    }

    private static void CheckName(string what, string name, int limit)
    {
        CheckText(what, name, limit);
        Require(name.Length > 0 && !name.Contains('\0', StringComparison.Ordinal), $"{what} is empty or holds a NUL");
    }

    private static void CheckText(string what, string text, int limit)
    {
        ArgumentNullException.ThrowIfNull(text, what);
        try
        {
            if (FileLimits.StrictUtf8.GetByteCount(text) > limit)
                throw new ArgumentException($"{what}: {FileLimits.Printable(text)} is longer than {limit} bytes");
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException($"{what}: {FileLimits.Printable(text)} holds an unpaired surrogate");
        }
    }

    private static void CheckValue(string key, MetadataValue value, int depth)
    {
        Require(value is not null && Fits(value), $"metadata key {key}: the value does not fit its type");
        if (value!.Type == MetadataType.String)
            CheckText(key, (string)value.Value, FileLimits.StringBytes);
        if (value.Type != MetadataType.Array)
            return;
        Require(depth < FileLimits.ArrayNesting, $"metadata key {key}: arrays nested deeper than {FileLimits.ArrayNesting}");
        Require(((Array)value.Value).Length <= FileLimits.ArrayLength, $"metadata key {key}: more than {FileLimits.ArrayLength} elements");
        if (value.Value is string[] strings)
        {
            foreach (string text in strings)
                CheckText(key, text, FileLimits.StringBytes);
        }
        else if (value.Value is MetadataValue[] arrays)
        {
            foreach (MetadataValue array in arrays)
            {
                Require(array is { Type: MetadataType.Array }, $"metadata key {key}: an element is no array");
                CheckValue(key, array, depth + 1);
            }
        }
    }

    private static bool Fits(MetadataValue value)
    {
        if (value.Value is null)
            return false;
        Type type = value.Value.GetType();
        return value.Type == MetadataType.Array ? type == ArrayType(value.ElementType) : type == ArrayType(value.Type)?.GetElementType();
    }

    private static Type? ArrayType(MetadataType element) => element switch
    {
        MetadataType.UInt8 => typeof(byte[]),
        MetadataType.Int8 => typeof(sbyte[]),
        MetadataType.UInt16 => typeof(ushort[]),
        MetadataType.Int16 => typeof(short[]),
        MetadataType.UInt32 => typeof(uint[]),
        MetadataType.Int32 => typeof(int[]),
        MetadataType.Float32 => typeof(float[]),
        MetadataType.Bool => typeof(bool[]),
        MetadataType.String => typeof(string[]),
        MetadataType.Array => typeof(MetadataValue[]),
        MetadataType.UInt64 => typeof(ulong[]),
        MetadataType.Int64 => typeof(long[]),
        MetadataType.Float64 => typeof(double[]),
        _ => null,
    };

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new ArgumentException(otherwise);
    }
}
