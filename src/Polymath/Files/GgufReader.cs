using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Polymath.Files;

/// <summary>
/// Reads the head of a GGUF file: metadata and tensor list. Each length is checked against the bytes left before
/// anything is allocated, and all that is allocated counts against a budget that follows from the file's size.
/// Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
/// </summary>
internal ref struct GgufReader
{
    private const uint Magic = 0x46554747;   // "GGUF"
    private const int SmallestPair = 8 + 1 + 4 + 1;
    private const int SmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;
    private const int MostElementsInByte = 8;
    private const int ObjectBytes = 32;      // header, length and padding of a string or array; a MetadataValue
    private const int PairBytes = 160;       // a key in the dictionary and the order list, a boxed value
    private const int TensorBytes = 320;     // a tensor's record, name, sizes and dictionary entry

    private readonly FileImage _image;
    private long _position;
    private long _budget;

    /// <param name="image">The file.</param>
    /// <param name="allowance">Bytes that reading may take besides twice the size of the file.</param>
    public GgufReader(FileImage image, long allowance)
    {
        _image = image;
        _budget = allowance + (2 * image.Length);
    }

    /// <summary>What is left of the memory that reading may take.</summary>
    public readonly long Allowance => _budget;

    private readonly long Left => _image.Length - _position;

    /// <summary>Reads everything before the tensor data and checks it.</summary>
    public GgufHead Read()
    {
        if (_image.Length < 24)
            throw Bad("file", 0, $"{_image.Length} bytes are too few for a GGUF file");
        if (ReadUInt32("magic") != Magic)
            throw Bad("magic", 0, "not a GGUF file");
        uint version = ReadVersion();
        int tensorCount = ReadCount("tensor count", FileLimits.Tensors, SmallestTensor);
        int keyCount = ReadCount("metadata count", FileLimits.Keys, SmallestPair);
        Metadata metadata = ReadMetadata(keyCount);
        int alignment = ReadAlignment(metadata);
        var tensors = new TensorInfo[tensorCount];
        var offsets = new long[tensorCount];
        Dictionary<string, int> index = ReadTensors(tensors, offsets, alignment);
        long start = (_position + alignment - 1) / alignment * alignment;
        CheckRanges(tensors, offsets, start);
        return new GgufHead((int)version, alignment, start, metadata, tensors, offsets, index);
    }

    private uint ReadVersion()
    {
        uint version = ReadUInt32("version");
        if (version is 2 or 3)
            return version;
        if (BinaryPrimitives.ReverseEndianness(version) is >= 1 and <= 0xFFFF)
            throw Bad("version", 4, "a big-endian GGUF file; only little-endian files are supported");
        throw Bad("version", 4, $"GGUF version {version} is not supported, only 2 and 3");
    }

    private int ReadCount(string field, int limit, int smallest)
    {
        long at = _position;
        ulong count = ReadUInt64(field);
        if (count > (ulong)limit)
            throw Bad(field, at, $"{count} is more than the limit of {limit}");
        if (count > (ulong)(Left / smallest))
            throw Bad(field, at, $"{count} do not fit in the {Left} bytes left");
        return (int)count;
    }

    private Metadata ReadMetadata(int count)
    {
        var metadata = new Metadata();
        for (int i = 0; i < count; i++)
        {
            long at = _position;
            Charge(PairBytes, "metadata", at);
            string key = ReadString("metadata key", FileLimits.KeyBytes);
            if (key.Length == 0 || key.Contains('\0', StringComparison.Ordinal))
                throw Bad("metadata key", at, "empty or with a NUL");
            if (metadata.Contains(key))
                throw Bad(key, at, "the key is there twice");
            metadata.Set(key, ReadValue(ReadType(key), key, 0));
        }

        return metadata;
    }

    private MetadataType ReadType(string key)
    {
        long at = _position;
        uint type = ReadUInt32(key);
        return type <= (uint)MetadataType.Float64 ? (MetadataType)type : throw Bad(key, at, $"{type} is no metadata type");
    }

    private MetadataValue ReadValue(MetadataType type, string key, int depth)
    {
        if (type == MetadataType.Array)
            return ReadArray(key, depth + 1);
        long at = _position;
        object value = type switch
        {
            MetadataType.UInt8 => Take(1, key)[0],
            MetadataType.Int8 => (sbyte)Take(1, key)[0],
            MetadataType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
            MetadataType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
            MetadataType.UInt32 => ReadUInt32(key),
            MetadataType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(Take(4, key)),
            MetadataType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
            MetadataType.Bool => ToBool(Take(1, key)[0], key, at),
            MetadataType.String => ReadString(key, FileLimits.StringBytes),
            MetadataType.UInt64 => ReadUInt64(key),
            MetadataType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
            _ => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
        };
        return new MetadataValue(type, value);
    }

    private MetadataValue ReadArray(string key, int depth)
    {
        long at = _position;
        if (depth > FileLimits.ArrayNesting)
            throw Bad(key, at, $"arrays nested deeper than {FileLimits.ArrayNesting}");
        MetadataType element = ReadType(key);
        int count = ReadCount(key, FileLimits.ArrayLength, SmallestElement(element));
        object values = element switch
        {
            MetadataType.UInt8 => ReadNumbers<byte>(count, key),
            MetadataType.Int8 => ReadNumbers<sbyte>(count, key),
            MetadataType.UInt16 => ReadNumbers<ushort>(count, key),
            MetadataType.Int16 => ReadNumbers<short>(count, key),
            MetadataType.UInt32 => ReadNumbers<uint>(count, key),
            MetadataType.Int32 => ReadNumbers<int>(count, key),
            MetadataType.Float32 => ReadNumbers<float>(count, key),
            MetadataType.Bool => ReadBools(count, key),
            MetadataType.String => ReadStrings(count, key),
            MetadataType.Array => ReadArrays(count, key, depth),
            MetadataType.UInt64 => ReadNumbers<ulong>(count, key),
            MetadataType.Int64 => ReadNumbers<long>(count, key),
            _ => ReadNumbers<double>(count, key),
        };
        return new MetadataValue(MetadataType.Array, values, element);
    }

    private static int SmallestElement(MetadataType type) => type switch
    {
        MetadataType.UInt8 or MetadataType.Int8 or MetadataType.Bool => 1,
        MetadataType.UInt16 or MetadataType.Int16 => 2,
        MetadataType.UInt32 or MetadataType.Int32 or MetadataType.Float32 => 4,
        MetadataType.Array => 4 + 8,
        _ => 8,
    };

    private T[] ReadNumbers<T>(int count, string key)
        where T : unmanaged
    {
        ReadOnlySpan<T> stored = MemoryMarshal.Cast<byte, T>(Take(checked(count * Unsafe.SizeOf<T>()), key));
        Charge(((long)count * Unsafe.SizeOf<T>()) + ObjectBytes, key, _position);
        return stored.ToArray();
    }

    private bool[] ReadBools(int count, string key)
    {
        long at = _position;
        Charge(count + ObjectBytes, key, at);
        ReadOnlySpan<byte> stored = Take(count, key);
        var values = new bool[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ToBool(stored[i], key, at + i);
        return values;
    }

    private string[] ReadStrings(int count, string key)
    {
        Charge(((long)count * IntPtr.Size) + ObjectBytes, key, _position);
        var values = new string[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ReadString(key, FileLimits.StringBytes);
        return values;
    }

    private MetadataValue[] ReadArrays(int count, string key, int depth)
    {
        Charge((long)count * (IntPtr.Size + ObjectBytes), key, _position);
        var values = new MetadataValue[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ReadArray(key, depth + 1);
        return values;
    }

    private int ReadAlignment(Metadata metadata)
    {
        if (!metadata.TryGet("general.alignment", out MetadataValue? value))
            return FileLimits.DefaultAlignment;
        return value.Value is uint alignment && FileLimits.IsAlignment(alignment)
            ? (int)alignment
            : throw Bad("general.alignment", 0, $"no UInt32 power of two up to {FileLimits.Alignment}");
    }

    private Dictionary<string, int> ReadTensors(TensorInfo[] tensors, long[] offsets, int alignment)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < tensors.Length; i++)
        {
            long at = _position;
            Charge(TensorBytes, "tensors", at);
            string name = ReadString("tensor name", FileLimits.TensorNameBytes);
            if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
                throw Bad("tensor name", at, "empty or with a NUL");
            if (!index.TryAdd(name, i))
                throw Bad($"tensor {name}", at, "the name is there twice");
            tensors[i] = ReadTensor(name);
            at = _position;
            ulong offset = ReadUInt64("tensor offset");
            if (offset > (ulong)_image.Length)
                throw Bad($"tensor {name}", at, $"offset {offset} is behind the end of the file");
            if (offset % (ulong)alignment != 0)
                throw Bad($"tensor {name}", at, $"offset {offset} is no multiple of the alignment {alignment}");
            offsets[i] = (long)offset;
        }

        return index;
    }

    private TensorInfo ReadTensor(string name)
    {
        long at = _position;
        uint count = ReadUInt32("dimension count");
        if (count is 0 or > FileLimits.Dimensions)
            throw Bad($"tensor {name}", at, $"{count} dimensions; 1 to {FileLimits.Dimensions} are possible");
        var sizes = new long[count];
        UInt128 elements = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            ulong size = ReadUInt64("dimension");
            if (size is 0 or > (ulong)FileLimits.DimensionSize)
                throw Bad($"tensor {name}", at, $"dimension {i} is {size}");
            sizes[i] = (long)size;
            elements *= size;
            if (elements > (UInt128)_image.Length * MostElementsInByte)   // also keeps the product far from overflow
                throw Bad($"tensor {name}", at, $"its elements do not fit in the file of {_image.Length} bytes");
        }

        at = _position;
        uint format = ReadUInt32("tensor format");
        if (format > int.MaxValue || !GgmlTypes.IsKnown((int)format))
            throw Bad($"tensor {name}", at, $"{format} is no known tensor format");
        int blockLength = GgmlTypes.BlockLength((int)format), blockBytes = GgmlTypes.BlockBytes((int)format);
        if (sizes[0] % blockLength != 0)
            throw Bad($"tensor {name}", at, $"{GgmlTypes.Name((int)format)} needs rows in multiples of {blockLength}, not {sizes[0]}");
        return new TensorInfo(name, (int)format, sizes, checked((long)(elements / (uint)blockLength * (uint)blockBytes)));
    }

    private readonly void CheckRanges(TensorInfo[] tensors, long[] offsets, long start)
    {
        long room = _image.Length - start;   // negative when the file ends before the padding does
        var order = new int[tensors.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            if (offsets[i] > room - tensors[i].ByteLength)
            {
                throw Bad($"tensor {tensors[i].Name}", start + offsets[i],
                    $"its {tensors[i].ByteLength} bytes go beyond the end of the file at {_image.Length}");
            }
        }

        Array.Sort((long[])offsets.Clone(), order);
        for (int i = 1; i < order.Length; i++)
        {
            int before = order[i - 1], after = order[i];
            if (offsets[after] < offsets[before] + tensors[before].ByteLength)
                throw Bad($"tensor {tensors[after].Name}", start + offsets[after], $"it overlaps {tensors[before].Name}");
        }
    }

    private readonly bool ToBool(byte stored, string key, long at) =>
        stored <= 1 ? stored == 1 : throw Bad(key, at, $"{stored} is no bool");

    private string ReadString(string field, int limit)
    {
        long at = _position;
        ulong length = ReadUInt64(field);
        if (length > (ulong)limit)
            throw Bad(field, at, $"a string of {length} bytes; the limit is {limit}");
        if (length > (ulong)Left)
            throw Bad(field, at, $"a string of {length} bytes, but {Left} are left");
        if (length == 0)
            return string.Empty;
        ReadOnlySpan<byte> utf8 = Take((int)length, field);
        Charge(ObjectBytes + (2 * (long)length), field, at);
        try
        {
            return FileLimits.StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Bad(field, at, "the string is not valid UTF-8");
        }
    }

    private uint ReadUInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, field));

    private ulong ReadUInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, field));

    private ReadOnlySpan<byte> Take(int count, string field)
    {
        if (count > Left)
            throw Bad(field, _position, $"{count} bytes needed, {Left} left");
        ReadOnlySpan<byte> bytes = _image.Slice(_position, count);
        _position += count;
        return bytes;
    }

    private void Charge(long bytes, string field, long at)
    {
        _budget -= bytes;
        if (_budget < 0)
            throw Bad(field, at, "reading it takes more memory than the size of the file allows");
    }

    private readonly ModelFormatException Bad(string field, long offset, string problem) =>
        new($"{_image.Path}: {FileLimits.Printable(field)} at offset {offset}: {problem}");
}
