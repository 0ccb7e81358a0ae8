// Services, streaming and a typed reply in one native file:
// dotnet publish -c Release samples/NativeAot && artifacts/publish/NativeAot/release/NativeAot MODEL
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Polymath.Extensions.AI;

if (args is not [string path])
{
    Console.Error.WriteLine("usage: NativeAot MODEL");
    return 2;
}

HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
builder.Services.AddPolymath(options => options.ModelPath = path);
using IHost host = builder.Build();
await host.StartAsync();

var client = host.Services.GetRequiredService<IChatClient>();
await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("Tell a story.", new ChatOptions { MaxOutputTokens = 100 }))
    Console.Write(update.Text);
Console.WriteLine();

// Generated contracts: nothing is reflected on.
ChatResponse<Verdict> verdict = await client.GetResponseAsync<Verdict>(
    "Was it a good story?", SampleJson.Default.Options, new ChatOptions { MaxOutputTokens = 100 });
Console.WriteLine(verdict.TryGetResult(out Verdict? result) ? result : verdict.Text);

await host.StopAsync();
return 0;

internal sealed record Verdict(bool IsGood, bool IsLong);

[JsonSerializable(typeof(Verdict))]
internal sealed partial class SampleJson : JsonSerializerContext;
