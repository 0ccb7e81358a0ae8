namespace Polymath.Files;

/// <summary>What stands before the tensor data of a GGUF file, checked.</summary>
/// <param name="Version">2 or 3.</param>
/// <param name="Alignment">Every tensor starts at a multiple of it, counted from <paramref name="DataOffset"/>.</param>
/// <param name="DataOffset">Byte where the tensor data starts.</param>
/// <param name="Metadata">All keys.</param>
/// <param name="Tensors">All tensors in file order.</param>
/// <param name="Offsets">First byte of each tensor, counted from <paramref name="DataOffset"/>.</param>
/// <param name="Index">Place of each name in <paramref name="Tensors"/>.</param>
internal sealed record GgufHead(
    int Version,
    int Alignment,
    long DataOffset,
    Metadata Metadata,
    TensorInfo[] Tensors,
    long[] Offsets,
    Dictionary<string, int> Index);
